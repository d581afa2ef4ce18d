"""The provider's own pages: today, the week, visits, notes, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.models import Clinic, Provider, Role, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, VisitNote
from scheduling.transitions import Status
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    UserFactory,
    VisitTypeFactory,
    at,
    next_monday,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def monday_at_ten() -> Iterator[datetime]:
    """A Monday, ten o'clock in New York."""
    moment = at(next_monday(1), "10:00")
    with time_machine.travel(moment, tick=False):
        yield moment


@pytest.fixture
def owner(monday_at_ten: datetime, provider: Provider, clinic: Clinic) -> Client:
    MembershipFactory.create(user=provider.user, clinic=clinic, role=Role.PROVIDER)
    return signed_in(provider)


def signed_in(provider: Provider) -> Client:
    assert provider.user is not None
    client = Client()
    client.force_login(provider.user)
    return client


@pytest.fixture
def peer(clinic: Clinic) -> Provider:
    """Another provider of the same clinic."""
    other = ProviderFactory.create(clinic=clinic, name="Dr. Peer", working=True)
    MembershipFactory.create(user=other.user, clinic=clinic, role=Role.PROVIDER)
    return other


def visit_at(clock: str, provider: Provider, visit_type: VisitType, **kwargs: Any) -> Appointment:
    day = timezone.now().astimezone(provider.clinic.zone).date()
    kwargs.setdefault("patient", PatientFactory.create(clinic=provider.clinic))
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=at(day, clock), **kwargs
    )


def act(client: Client, visit: Appointment, name: str, back: str = "today") -> Any:
    """Press a button of a page that was loaded just now."""
    version = Appointment.objects.get(pk=visit.pk).version
    sent = {"back": back, "version": version}
    return client.post(reverse("provider:act", args=[visit.pk, name]), sent)


def test_today_shows_who_is_next_with_language_and_type(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    spanish = PatientFactory.create(
        clinic=provider.clinic,
        given_name="Rosa",
        family_name="Quispe",
        language="es",
        needs_interpreter=True,
    )
    visit_at("10:30", provider, visit_type, patient=spanish)
    visit_at("11:00", provider, visit_type)
    page = owner.get(reverse("provider:today"))
    assert page.context["next"].appointment.patient == spanish
    text = page.content.decode()
    assert "Rosa Quispe" in text
    assert "10:30\xa0am" in text
    assert "Spanish interpreter" in text
    assert "2 of 2 visits to go" in text


def test_whoever_waits_comes_before_whoever_is_due(
    owner: Client, provider: Provider, visit_type: VisitType, desk: Actor, monday_at_ten: datetime
) -> None:
    visit_at("10:00", provider, visit_type)
    early = visit_at("10:30", provider, visit_type)
    booking.check_in(appointment=early, by=desk, now=monday_at_ten - 7 * MINUTE)
    page = owner.get(reverse("provider:today"))
    assert page.context["next"].appointment == early
    assert page.context["next"].waiting_minutes == 7
    assert "Waiting 7 min" in page.content.decode()


def test_a_video_visit_has_its_tag_and_its_link(
    owner: Client, provider: Provider, clinic: Clinic, monday_at_ten: datetime
) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(telehealth_base_url="https://video.example/room/")
    video = visit_at("10:30", provider, VisitTypeFactory.create(is_telehealth=True))
    text = owner.get(reverse("provider:today")).content.decode()
    assert "is-telehealth" in text
    assert reverse("provider:join", args=[video.pk]) in text
    assert "video.example" not in text


def test_today_is_the_clinics_day_not_the_servers(
    owner: Client, provider: Provider, visit_type: VisitType
) -> None:
    monday = next_monday(1)
    visit = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=at(monday, "16:30")
    )
    late_evening = at(monday, "22:30")
    assert late_evening.astimezone(UTC).date() > monday
    with time_machine.travel(late_evening, tick=False):
        page = signed_in(provider).get(reverse("provider:today"))
    assert [row.appointment for row in page.context["visits"]] == [visit]


def test_a_visit_is_completed_in_one_click_and_undone(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("09:30", provider, visit_type)
    answer = act(owner, visit, "complete")
    assert answer.status_code == 302
    assert answer["Location"] == reverse("provider:today")
    visit.refresh_from_db()
    assert visit.status == Status.COMPLETED
    text = owner.get(reverse("provider:today")).content.decode()
    assert "until 10:10\xa0am" in text
    act(owner, visit, "undo")
    visit.refresh_from_db()
    assert visit.status == Status.SCHEDULED


def test_a_no_show_waits_for_the_grace_and_says_from_when(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("10:00", provider, visit_type)
    with time_machine.travel(monday_at_ten + 14 * MINUTE, tick=False):
        page = owner.get(reverse("provider:visit", args=[visit.pk])).content.decode()
        assert "No-show from 10:15\xa0am" in page
        refused = act(owner, visit, "no-show")
        assert refused.status_code == 409
        assert "too early" in refused.content.decode()
    visit.refresh_from_db()
    assert visit.status == Status.SCHEDULED
    with time_machine.travel(monday_at_ten + 15 * MINUTE, tick=False):
        assert act(owner, visit, "no-show", back="visit").status_code == 302
    visit.refresh_from_db()
    assert visit.status == Status.NO_SHOW


def test_an_act_that_no_longer_fits_answers_409_with_the_page(
    owner: Client, provider: Provider, visit_type: VisitType, desk: Actor, monday_at_ten: datetime
) -> None:
    visit = visit_at("09:00", provider, visit_type)
    booking.cancel(appointment=visit, reason="OTHER", by=desk, now=monday_at_ten)
    answer = act(owner, visit, "complete")
    assert answer.status_code == 409
    assert "the appointment is cancelled" in answer.content.decode()


def test_a_page_that_is_out_of_date_undoes_nothing_that_it_did_not_show(
    owner: Client, provider: Provider, visit_type: VisitType, desk: Actor, monday_at_ten: datetime
) -> None:
    visit = visit_at("09:00", provider, visit_type)
    done = booking.mark_no_show(appointment=visit, by=desk, now=monday_at_ten)
    page = owner.get(reverse("provider:visit", args=[visit.pk])).content.decode()
    assert f'name="version" value="{done.version}"' in page
    reopened = booking.undo(appointment=done, by=desk, now=monday_at_ten)
    booking.cancel(appointment=reopened, reason="OTHER", by=desk, now=monday_at_ten)

    url = reverse("provider:act", args=[visit.pk, "undo"])
    for sent in ({"version": done.version}, {"version": "x"}, {}):
        assert owner.post(url, sent).status_code == 409
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED


def test_an_unknown_act_is_not_found(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    assert act(owner, visit_at("09:00", provider, visit_type), "cancel").status_code == 404


@pytest.mark.parametrize("name", ["visit", "note", "act"])
def test_the_visit_of_another_provider_is_not_found(
    name: str,
    owner: Client,
    peer: Provider,
    visit_type: VisitType,
    monday_at_ten: datetime,
) -> None:
    visit = visit_at("09:00", peer, visit_type)
    if name == "act":
        assert act(owner, visit, "complete").status_code == 404
    else:
        assert owner.get(reverse(f"provider:{name}", args=[visit.pk])).status_code == 404
    text = owner.get(reverse("provider:today")).content.decode()
    assert visit.patient.full_name not in text


def test_a_receptionist_has_no_provider_pages(clinic: Clinic) -> None:
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    assert client.get(reverse("provider:today")).status_code == 404
    assert client.get(reverse("provider:week")).status_code == 404


def test_an_admin_who_is_a_provider_too_sees_only_own_visits_here(
    owner: Client, provider: Provider, peer: Provider, visit_type: VisitType, clinic: Clinic
) -> None:
    MembershipFactory.create(user=provider.user, clinic=clinic, role=Role.CLINIC_ADMIN)
    assert provider.user
    owner.force_login(provider.user)  # another role has ended the sign-in
    visit = AppointmentFactory.create(provider=peer, visit_type=visit_type)
    assert owner.get(reverse("provider:visit", args=[visit.pk])).status_code == 404


def test_a_note_is_written_changed_and_shown_to_its_provider_alone(
    owner: Client,
    provider: Provider,
    visit_type: VisitType,
    clinic: Clinic,
    monday_at_ten: datetime,
) -> None:
    visit = visit_at("09:00", provider, visit_type)
    address = reverse("provider:note", args=[visit.pk])
    assert owner.post(address, {"text": "Sleeps better.", "seen": ""}).status_code == 302
    note = VisitNote.objects.get(appointment=visit)
    assert (note.text, note.author) == ("Sleeps better.", provider.user)
    page = owner.get(reverse("provider:visit", args=[visit.pk]))
    assert "Sleeps better." in page.content.decode()
    form = owner.get(address).context["form"]
    owner.post(address, {"text": "Sleeps well.", "seen": form.initial["seen"]})
    note.refresh_from_db()
    assert note.text == "Sleeps well."
    receptionist = Client()
    receptionist.force_login(MembershipFactory.create(clinic=clinic).user)
    assert receptionist.get(address).status_code == 404
    panel = receptionist.get(reverse("desk:appointment", args=[visit.pk]))
    assert panel.status_code == 200
    assert "Sleeps well." not in panel.content.decode()


def test_a_note_never_overwrites_words_that_its_author_has_not_seen(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("09:00", provider, visit_type)
    address = reverse("provider:note", args=[visit.pk])
    owner.post(address, {"text": "First tab.", "seen": ""})
    answer = owner.post(address, {"text": "Second tab.", "seen": ""})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "First tab." in text
    assert "Second tab." in text
    merged = {"text": "Both.", "seen": answer.context["form"]["seen"].value()}
    assert owner.post(address, merged).status_code == 302
    assert VisitNote.objects.get(appointment=visit).text == "Both."


@pytest.mark.parametrize("text", ["", "a" * 20_001, "nul \x00 byte"])
def test_a_note_that_cannot_be_kept_is_shown_again_with_its_error(
    text: str, owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("09:00", provider, visit_type)
    answer = owner.post(reverse("provider:note", args=[visit.pk]), {"text": text, "seen": ""})
    assert answer.status_code == 422
    assert answer.context["form"].errors["text"]
    assert not VisitNote.objects.exists()


def test_a_megabyte_is_refused_as_a_bad_request(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("09:00", provider, visit_type)
    huge = {"text": "a" * 1_100_000, "seen": ""}
    assert owner.post(reverse("provider:note", args=[visit.pk]), huge).status_code == 400


def test_the_week_shows_own_visits_hours_and_absences_by_day(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("11:00", provider, visit_type)
    page = owner.get(reverse("provider:week"))
    days = page.context["days"]
    assert [row.appointment for row in days[0].visits] == [visit]
    assert days[0].is_today
    assert days[0].hours == ["8:00\xa0am to 5:00\xa0pm"]
    assert days[6].hours == []
    earlier = owner.get(reverse("provider:week"), {"day": page.context["earlier"].isoformat()})
    assert earlier.context["later"] == page.context["monday"]
    assert not any(day.visits for day in earlier.context["days"])


@pytest.mark.parametrize(
    "day", ["yesterday", "2026-13-40", "0001-01-01", "9999-12-31", "\x00", "1" * 5_000]
)
def test_a_malformed_day_is_not_found(day: str, owner: Client) -> None:
    assert owner.get(reverse("provider:week"), {"day": day}).status_code == 404


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_pages_take_few_queries_however_many_visits_there_are(
    owner: Client, provider: Provider, visit_type: VisitType, monday_at_ten: datetime
) -> None:
    visit = visit_at("10:30", provider, visit_type)
    addresses = [
        reverse("provider:today"),
        reverse("provider:week"),
        reverse("provider:visit", args=[visit.pk]),
    ]
    with_one = [queries_of(owner, address) for address in addresses]
    for clock in ("11:00", "11:30", "12:00", "12:30", "13:00"):
        visit_at(clock, provider, visit_type)
    assert [queries_of(owner, address) for address in addresses] == with_one
    assert max(with_one) <= 9


def test_pages_are_never_stored(owner: Client) -> None:
    assert owner.get(reverse("provider:today"))["Cache-Control"] == "no-store"


def test_a_stranger_is_asked_to_sign_in() -> None:
    answer = Client().get(reverse("provider:today"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_provider_without_a_calendar_has_an_empty_day(clinic: Clinic) -> None:
    user: User = UserFactory.create()
    MembershipFactory.create(user=user, clinic=clinic, role=Role.PROVIDER)
    client = Client()
    client.force_login(user)
    assert "No visits today" in client.get(reverse("provider:today")).content.decode()
    assert client.get(reverse("provider:week")).status_code == 200


def test_the_reason_stands_on_the_visits_page_and_in_no_list(
    owner: Client,
    provider: Provider,
    visit_type: VisitType,
    patient: Patient,
    monday_at_ten: datetime,
) -> None:
    visit = visit_at("10:30", provider, visit_type, patient=patient, reason="Sore knee")
    assert "Sore knee" in owner.get(reverse("provider:visit", args=[visit.pk])).content.decode()
    for name in ("today", "week"):
        assert "Sore knee" not in owner.get(reverse(f"provider:{name}")).content.decode()
