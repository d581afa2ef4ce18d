"""What other pages say of the record system: a visit's line at the desk, a provider's results."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from emr.kinds import State, TaskKind
from emr.models import EMRConnection, EMRTask, OutboundMessage
from emr.queries import places_of
from patients.models import Patient
from providers.models import Provider, Role
from scheduling.models import Appointment
from tests.factories import MembershipFactory, ProviderFactory
from tests.factories.emr import link_to
from tests.factories.emr_work import conflict_of, message_of, standing_of, task_of


@pytest.fixture
def doctor(provider: Provider) -> Client:
    member = MembershipFactory.create(clinic=provider.clinic, role=Role.PROVIDER)
    Provider.objects.filter(pk=provider.pk).update(user=member.user)
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def result(connection: EMRConnection, provider: Provider, patient: Patient) -> EMRTask:
    about = {"resource_type": "DiagnosticReport", "resource_id": "dr-9"}
    return task_of(connection, TaskKind.RESULT, patient=patient, provider=provider, **about)


def line_of(client: Client, visit: Appointment) -> str:
    return client.get(reverse("desk:appointment", args=[visit.pk])).content.decode()


def nothing_sent(visit: Appointment) -> None:
    OutboundMessage.objects.filter(appointment=visit).delete()


def test_a_visit_that_both_sides_know_is_up_to_date(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    nothing_sent(visit)
    assert "Not there" in line_of(desk, visit)
    link_to(connection, visit, "Appointment", "a-1")
    assert "In Harbor EHR:" in line_of(desk, visit)
    assert "Up to date" in line_of(desk, visit)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (State.QUEUED, "On its way"),
        (State.UNKNOWN, "On its way"),
        (State.WAITING, "Needs somebody"),
        (State.DEAD, "Needs somebody"),
        (State.SKIPPED, "Not there"),
    ],
)
def test_what_is_on_its_way_or_stuck_is_said(
    state: State, says: str, desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    nothing_sent(visit)
    message_of(visit, connection, state=state.value)
    assert says in line_of(desk, visit)


def test_an_open_conflict_needs_somebody(visit: Appointment, connection: EMRConnection) -> None:
    nothing_sent(visit)
    sides = json.dumps({"ours": standing_of(visit), "theirs": {}, "base": {}})
    conflict_of(visit, connection, sides=sides)
    (place,) = places_of(visit)
    assert place.needs


def test_a_clinic_without_a_record_system_has_no_line(desk: Client, visit: Appointment) -> None:
    assert "emr-line" not in line_of(desk, visit)


def test_a_providers_results_stand_on_their_day_until_they_have_seen_them(
    doctor: Client, result: EMRTask
) -> None:
    today = reverse("provider:today")
    page = doctor.get(today).content.decode()
    assert "DiagnosticReport/dr-9" in page
    assert "Ada Moreno" in page
    done = reverse("emr_provider:own_task_done", args=[result.pk])
    assert doctor.post(done).status_code == 302
    result.refresh_from_db()
    assert result.closed_at is not None
    assert "DiagnosticReport/dr-9" not in doctor.get(today).content.decode()
    assert doctor.post(done).status_code == 302


def test_a_colleagues_result_is_nobody_elses(
    doctor: Client, connection: EMRConnection, patient: Patient
) -> None:
    colleague = ProviderFactory.create(clinic=connection.clinic)
    task = task_of(connection, TaskKind.RESULT, patient=patient, provider=colleague)
    assert "follow up" not in doctor.get(reverse("provider:today")).content.decode()
    done = reverse("emr_provider:own_task_done", args=[task.pk])
    assert doctor.post(done).status_code == 404


def test_a_task_of_a_provider_who_left_is_the_desks(
    desk: Client, result: EMRTask, provider: Provider
) -> None:
    User.objects.filter(provider=provider).update(is_active=False)
    assert desk.post(reverse("emr:task_done", args=[result.pk])).status_code == 302
    result.refresh_from_db()
    assert result.closed_at is not None
