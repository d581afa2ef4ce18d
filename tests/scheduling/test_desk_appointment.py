"""A visit's panel: what it tells, which acts it offers, and what it answers who comes late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, Role, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, VisitNote
from scheduling.transitions import Status
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory
from tests.scheduling.desk_cast import HTMX, NINE, at_the_desk, do, shown

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno", phone="+12125550111")


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType, ada: Patient) -> Appointment:
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=ada, reason="Sore knee"
    )


@pytest.fixture
def receptionist(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def panel(client: Client, visit: Appointment) -> Any:
    return client.get(reverse("desk:appointment", args=[visit.pk]), headers=HTMX)


def at(when: datetime) -> Any:
    return time_machine.travel(when, tick=False)


def test_the_panel_says_who_when_with_whom_and_why(receptionist: Client, nine: Appointment) -> None:
    text = shown(panel(receptionist, nine))
    for words in (
        "Ada Moreno",
        "February 29, 1984 (",
        "(212) 555-0111",
        "9:00 am to 9:30 am",
        "Follow-up, 30 min",
        "Dr. Amara Diallo",
        "Sore knee",
        nine.reference,
        "Booked",
    ):
        assert words in text


def test_the_reason_is_told_only_until_the_visit_starts(
    receptionist: Client, clinic: Clinic, nine: Appointment
) -> None:
    with at(NINE - MINUTE):
        assert "Sore knee" in shown(panel(at_the_desk(clinic), nine))
    with at(NINE):
        assert "Sore knee" not in shown(panel(at_the_desk(clinic), nine))


def test_the_note_is_never_told(receptionist: Client, nine: Appointment) -> None:
    author = nine.provider.user
    assert author is not None
    VisitNote.objects.create(appointment=nine, text="Torn meniscus", author=author)
    assert "meniscus" not in shown(panel(receptionist, nine))


def test_without_htmx_the_panel_is_a_page_with_its_own_heading(
    receptionist: Client, nine: Appointment
) -> None:
    page = receptionist.get(reverse("desk:appointment", args=[nine.pk])).content.decode()
    assert "<html" in page
    assert "<h1>Ada Moreno" in page
    assert 'hx-boost="true"' not in page
    assert "<html" not in panel(receptionist, nine).content.decode()


def test_confirm_check_in_and_complete_follow_each_other(clinic: Clinic, nine: Appointment) -> None:
    with at(NINE - 2 * 24 * 60 * MINUTE):
        assert do(at_the_desk(clinic), nine, "confirm").status_code == 302
    with at(NINE - 5 * MINUTE):
        client = at_the_desk(clinic)
        nine.refresh_from_db()
        do(client, nine, "check-in")
        assert "Arrived" in shown(panel(client, nine))
        nine.refresh_from_db()
        assert "Complete" in shown(panel(client, nine))
        do(client, nine, "complete")
    nine.refresh_from_db()
    assert (nine.status, nine.arrived_at) == (Status.COMPLETED, NINE - 5 * MINUTE)
    kinds = list(nine.events.values_list("kind", flat=True))
    assert kinds == ["BOOK", "CONFIRM", "CHECK_IN", "COMPLETE"]


def test_the_history_names_what_happened_the_author_and_the_time(
    receptionist: Client, clinic: Clinic, nine: Appointment
) -> None:
    user = clinic.memberships.get().user
    user.first_name, user.last_name = "Dolores", "Whitcomb"
    user.save()
    do(receptionist, nine, "confirm")
    text = shown(panel(receptionist, nine))
    assert "Confirmed" in text.split("History")[1]
    assert "Dolores Whitcomb" in text.split("History")[1]


def test_a_cancellation_asks_why_can_be_undone_and_stands_in_the_history(
    receptionist: Client, nine: Appointment
) -> None:
    url = reverse("desk:cancel", args=[nine.pk])
    assert "Why is it cancelled?" in shown(receptionist.get(url, headers=HTMX))
    sent = receptionist.post(url, {"version": nine.version, "reason": "PROVIDER_AWAY"})
    assert sent["Location"] == reverse("desk:appointment", args=[nine.pk])
    text = shown(panel(receptionist, nine))
    assert "Cancelled: Provider is away" in text
    assert "You can undo this until" in text
    nine.refresh_from_db()
    do(receptionist, nine, "undo")
    nine.refresh_from_db()
    assert nine.status == Status.SCHEDULED


def test_sending_now_ends_the_wait(receptionist: Client, nine: Appointment, desk: Actor) -> None:
    cancelled = booking.cancel(
        appointment=nine, reason="OTHER", by=desk, now=NINE - 24 * 60 * MINUTE
    )
    Appointment.objects.filter(pk=nine.pk).update(undo_until=datetime.now(tz=NINE.tzinfo) + MINUTE)
    do(receptionist, cancelled, "send-now")
    nine.refresh_from_db()
    assert nine.undo_until is None
    refused = do(receptionist, nine, "undo", headers=HTMX)
    assert refused.status_code == 409
    assert "It is too late to undo this." in shown(refused)


def test_a_no_show_is_offered_only_after_the_grace_and_can_be_undone(
    clinic: Clinic, nine: Appointment
) -> None:
    with at(NINE + 14 * MINUTE):
        client = at_the_desk(clinic)
        assert "No-show" not in shown(panel(client, nine))
        early = do(client, nine, "no-show", headers=HTMX)
        assert (early.status_code, Appointment.objects.get().status) == (409, Status.SCHEDULED)
    with at(NINE + 15 * MINUTE):
        client = at_the_desk(clinic)
        assert "No-show" in shown(panel(client, nine))
        do(client, nine, "no-show")
        assert "Undo" in shown(panel(client, nine))


def test_a_page_that_is_out_of_date_is_told_so_and_shows_how_things_stand(
    receptionist: Client, nine: Appointment, desk: Actor, now: datetime
) -> None:
    booking.confirm(appointment=nine, by=desk, now=now)
    late = receptionist.post(
        reverse("desk:cancel", args=[nine.pk]),
        {"version": nine.version, "reason": "OTHER"},
        headers=HTMX,
    )
    assert late.status_code == 409
    assert "Somebody changed this appointment meanwhile" in shown(late)
    assert "Confirmed" in shown(late)
    assert Appointment.objects.get().status == Status.CONFIRMED


def test_an_act_that_is_not_possible_any_more_is_refused_in_a_sentence(
    receptionist: Client, nine: Appointment, desk: Actor, now: datetime
) -> None:
    cancelled = booking.cancel(appointment=nine, reason="OTHER", by=desk, now=now)
    refused = do(receptionist, cancelled, "check-in", headers=HTMX)
    assert refused.status_code == 409
    assert "Not possible (check in): the appointment is cancelled." in shown(refused)
    moving = receptionist.get(reverse("desk:move", args=[nine.pk]), headers=HTMX)
    assert moving.status_code == 409


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "\0", "1.5", "9" * 5_000])
def test_a_version_that_is_none_is_a_bad_request(
    receptionist: Client, nine: Appointment, version: str
) -> None:
    url = reverse("desk:act", args=[nine.pk, "confirm"])
    assert receptionist.post(url, {"version": version}).status_code == 400
    assert Appointment.objects.get().status == Status.SCHEDULED


@pytest.mark.parametrize("reason", ["", "x", "\0", "OTHER" * 50_000])
def test_a_cancellation_without_a_known_reason_is_asked_again(
    receptionist: Client, nine: Appointment, reason: str
) -> None:
    url = reverse("desk:cancel", args=[nine.pk])
    again = receptionist.post(url, {"version": nine.version, "reason": reason})
    assert again.status_code == 422
    assert Appointment.objects.get().status == Status.SCHEDULED


def test_no_act_happens_by_looking(receptionist: Client, nine: Appointment) -> None:
    url = reverse("desk:act", args=[nine.pk, "confirm"])
    assert receptionist.get(url).status_code == 405
    receptionist.get(reverse("desk:cancel", args=[nine.pk]))
    nine.refresh_from_db()
    assert (nine.status, nine.version) == (Status.SCHEDULED, 0)


@pytest.mark.parametrize("name", ["appointment", "cancel", "move"])
def test_visits_of_other_clinics_and_unknown_ones_do_not_exist(
    nine: Appointment, name: str
) -> None:
    stranger = at_the_desk(ClinicFactory.create())
    assert stranger.get(reverse(f"desk:{name}", args=[nine.pk])).status_code == 404
    assert stranger.get(reverse(f"desk:{name}", args=[uuid4()])).status_code == 404
    assert do(stranger, nine, "confirm").status_code == 404


def test_a_receptionist_may_not_act_on_their_own_visit_at_a_clinic_of_others(
    nine: Appointment, ada: Patient
) -> None:
    elsewhere = ClinicFactory.create()
    client = at_the_desk(elsewhere)
    ada.user = elsewhere.memberships.get().user
    ada.save(update_fields=["user"])
    assert panel(client, nine).status_code == 404
    assert do(client, nine, "confirm").status_code == 404


def test_an_unknown_act_is_not_found(receptionist: Client, nine: Appointment) -> None:
    assert do(receptionist, nine, "explode").status_code == 404


def test_the_privacy_officer_and_the_provider_have_no_panel(
    clinic: Clinic, nine: Appointment
) -> None:
    for role in (Role.PRIVACY_OFFICER, Role.PROVIDER):
        assert panel(at_the_desk(clinic, role), nine).status_code == 404


def test_what_is_said_of_a_patient_is_in_no_cookie(nine: Appointment) -> None:
    with at(NINE):
        receptionist = at_the_desk(nine.clinic)
        assert do(receptionist, nine, "check-in").status_code == 302
        assert set(receptionist.cookies) <= {"sessionid", "csrftoken"}
        assert "Ada Moreno is checked in." in shown(panel(receptionist, nine))
