"""How connections fare, trying one now, and who is who at the other side."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from emr.kinds import Auth, State
from emr.models import ConnectionState, EMRConnection, EMRLink, OutboundMessage
from emr.naming import LOCATION, PRACTITIONER, names_of
from patients.models import AuditEntry
from providers.models import Clinic, Provider
from scheduling.models import Appointment
from tests.emr.views.asking import cost
from tests.factories import ProviderFactory
from tests.factories.emr import EMRConnectionFactory, link_to
from tests.factories.emr_work import message_of, signing_key

CONNECTIONS = reverse("emr:connections")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def page_of(client: Client) -> str:
    return client.get(CONNECTIONS).content.decode().replace("\N{NO-BREAK SPACE}", " ")


def fares(connection: EMRConnection, **columns: Any) -> None:
    ConnectionState.objects.update_or_create(connection=connection, defaults=columns)


def test_a_connection_that_was_never_used_says_so(desk: Client, connection: EMRConnection) -> None:
    page = page_of(desk)
    assert "Harbor EHR" in page
    assert "Not tried yet" in page


@pytest.mark.parametrize(
    ("ago", "says"),
    [
        ({"last_success_at": 1}, "Answers"),
        ({"last_success_at": 2, "last_failure_at": 1}, "Last try failed"),
        ({"last_success_at": 1, "last_failure_at": 2}, "Answers"),
        ({"last_success_at": 1, "open_until": -1}, "Left alone for now"),
        ({"last_success_at": 1, "paused_until": -1}, "Left alone for now"),
        ({"last_success_at": 1, "open_until": 1}, "Answers"),
    ],
)
def test_its_tag_says_how_it_is(
    ago: dict[str, int], says: str, desk: Client, connection: EMRConnection, now: datetime
) -> None:
    fares(connection, **{name: now - hours * HOUR for name, hours in ago.items()})
    tags = page_of(desk).partition('class="emr-cards"')[2]
    assert says in tags.partition("</section>")[0]


def test_a_failure_is_told_in_words_and_the_queue_by_its_age(
    desk: Client, connection: EMRConnection, visit: Appointment, now: datetime
) -> None:
    fares(connection, last_failure_at=now, last_failure="Unauthorized 401")
    message_of(visit, connection, state=State.QUEUED.value, not_before=now - 90 * MINUTE)
    message_of(visit, connection, state=State.WAITING.value)
    message_of(visit, connection)
    page = page_of(desk)
    assert "does not accept our credentials" in page
    assert "2 on their way, the oldest for 1 h 30 min" in page, "the booking's own is one"
    assert "1 waits for somebody" in page
    assert "1 needs somebody" in page


def test_keys_are_shown_with_their_age_where_they_sign(
    desk: Client, connection: EMRConnection
) -> None:
    signing_key("riverside-a")
    assert "riverside-a" not in page_of(desk)
    EMRConnection.objects.filter(pk=connection.pk).update(auth=Auth.PRIVATE_KEY.value)
    assert "riverside-a: signs for 0 days" in page_of(desk)


def test_trying_now_ends_the_pause_and_leaves_the_time_to_undo_alone(
    desk: Client,
    connection: EMRConnection,
    visit: Appointment,
    now: datetime,
    jobs_wait: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    fares(connection, open_until=now + HOUR, paused_until=now + HOUR, failures=9)
    later = {"state": State.QUEUED.value, "not_before": now + HOUR}
    tried = message_of(visit, connection, attempts=3, version=1, **later)
    undoable = message_of(visit, connection, attempts=0, version=2, **later)
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(reverse("emr:connection_try", args=[connection.pk]))
    state = ConnectionState.objects.get(connection=connection)
    assert (state.open_until, state.paused_until, state.failures) == (None, None, 0)
    times = dict(OutboundMessage.objects.values_list("pk", "not_before"))
    assert times[tried.pk] < now + MINUTE
    assert times[undoable.pk] == now + HOUR
    asked = {job.task["func"] for job in OrmQ.objects.all()}
    assert asked == {"emr.tasks.check", "emr.tasks.push"}


def test_what_is_switched_off_is_not_tried(
    desk: Client, connection: EMRConnection, now: datetime
) -> None:
    EMRConnection.objects.filter(pk=connection.pk).update(is_active=False)
    fares(connection, failures=9)
    desk.post(reverse("emr:connection_try", args=[connection.pk]))
    assert ConnectionState.objects.get(connection=connection).failures == 9


def test_another_clinics_connection_is_not_there(desk: Client, elsewhere: Appointment) -> None:
    there = EMRConnection.objects.get(clinic=elsewhere.clinic)
    assert desk.post(reverse("emr:connection_try", args=[there.pk])).status_code == 404
    assert "Hillside EHR" not in page_of(desk)


def test_the_page_asks_as_much_for_five_as_for_one(
    desk: Client, connection: EMRConnection, clinic: Clinic
) -> None:
    one = cost(desk, CONNECTIONS)
    for _number in range(4):
        EMRConnectionFactory.create(clinic=clinic)
    assert cost(desk, CONNECTIONS) == one


def field(kind: str, row: Any) -> str:
    return f"{kind.lower()}-{row.pk}"


def test_a_clinic_admin_says_who_is_who_and_it_is_written_down(
    manager: Client, connection: EMRConnection, clinic: Clinic, provider: Provider
) -> None:
    names = reverse("emr:names", args=[connection.pk])
    told = {field(LOCATION, clinic): "loc-1", field(PRACTITIONER, provider): "pr-7"}
    assert manager.post(names, told).status_code == 302
    assert names_of(connection, PRACTITIONER) == {provider.pk: "pr-7"}
    assert names_of(connection, LOCATION) == {clinic.pk: "loc-1"}
    entry = AuditEntry.objects.filter(object_pk=str(connection.pk)).latest("id")
    assert entry.changes[f"Practitioner {provider.pk}"] == ["", "pr-7"]
    assert 'value="pr-7"' in manager.get(names).content.decode()


def test_a_number_is_changed_and_taken_away(
    manager: Client, connection: EMRConnection, provider: Provider
) -> None:
    link_to(connection, provider, PRACTITIONER, "pr-1")
    names = reverse("emr:names", args=[connection.pk])
    manager.post(names, {field(PRACTITIONER, provider): "pr-2"})
    assert names_of(connection, PRACTITIONER) == {provider.pk: "pr-2"}
    manager.post(names, {field(PRACTITIONER, provider): ""})
    assert not EMRLink.objects.filter(resource_type=PRACTITIONER).exists()


def test_two_providers_can_exchange_their_numbers(
    manager: Client, connection: EMRConnection, clinic: Clinic, provider: Provider
) -> None:
    other = ProviderFactory.create(clinic=clinic)
    link_to(connection, provider, PRACTITIONER, "pr-1")
    link_to(connection, other, PRACTITIONER, "pr-2")
    told = {field(PRACTITIONER, provider): "pr-2", field(PRACTITIONER, other): "pr-1"}
    manager.post(reverse("emr:names", args=[connection.pk]), told)
    assert names_of(connection, PRACTITIONER) == {provider.pk: "pr-2", other.pk: "pr-1"}


def test_one_number_for_two_is_refused_and_nothing_is_changed(
    manager: Client, connection: EMRConnection, clinic: Clinic, provider: Provider
) -> None:
    other = ProviderFactory.create(clinic=clinic)
    told = {field(PRACTITIONER, provider): "pr-1", field(PRACTITIONER, other): "pr-1"}
    answer = manager.post(reverse("emr:names", args=[connection.pk]), told)
    assert answer.status_code == 409
    assert "Another one has this number." in answer.content.decode()
    assert not EMRLink.objects.exists()


def test_what_is_no_number_is_refused(
    manager: Client, connection: EMRConnection, provider: Provider
) -> None:
    told = {field(PRACTITIONER, provider): "Practitioner/7"}
    answer = manager.post(reverse("emr:names", args=[connection.pk]), told)
    assert answer.status_code == 422
    assert not EMRLink.objects.exists()


def test_the_desk_does_not_say_who_is_who(desk: Client, connection: EMRConnection) -> None:
    assert desk.get(reverse("emr:names", args=[connection.pk])).status_code == 404
    assert "Who is who there" not in page_of(desk)
    assert User.objects.exists()
