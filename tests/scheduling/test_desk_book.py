"""Quick book: patient, type, Enter; and what a refusal offers in place of a dead end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.actors import Actor
from scheduling.models import Appointment, SlotHold
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    VisitTypeFactory,
    at,
    hold_of,
)
from tests.scheduling.desk_cast import HTMX, MONDAY, NINE, at_the_desk, book_url, key_in, shown

NOBODY = "00000000-0000-7000-8000-000000000000"
pytestmark = pytest.mark.django_db
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno")


@pytest.fixture
def receptionist(clinic: Clinic, visit_type: VisitType) -> Client:
    return at_the_desk(clinic)


@pytest.fixture
def taken(provider: Provider, visit_type: VisitType) -> Appointment:
    return AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE)


def form(visit_type: VisitType, **more: Any) -> dict[str, Any]:
    return {"key": uuid4().hex, "type": visit_type.code, "step": "book", **more}


def test_from_a_free_cell_the_patient_is_found_in_the_same_panel(
    receptionist: Client, provider: Provider, ada: Patient
) -> None:
    url = book_url(provider, NINE)
    assert "Find a patient" in shown(receptionist.get(url, headers=HTMX))
    found = receptionist.post(url, {"q": "moreno"})
    assert found.status_code == 200
    assert "Ada Moreno" in shown(found)
    assert f"patient={ada.pk}" in found.content.decode()
    assert "moreno" not in found.request["QUERY_STRING"]


def test_typing_is_answered_with_the_matches_alone(
    receptionist: Client, provider: Provider, ada: Patient
) -> None:
    typed = {**HTMX, "HX-Trigger": "book-finder"}
    answer = receptionist.post(book_url(provider, NINE), {"q": "mor"}, headers=typed)
    assert answer.content.decode().strip().startswith("<ul")
    assert f"patient={ada.pk}" in answer.content.decode()


def test_with_a_patient_the_type_is_proposed_and_one_enter_books(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    url = book_url(provider, NINE, ada)
    page = receptionist.get(url)
    assert f'value="{visit_type.code}" id="id_type" required checked' in page.content.decode()
    sent = receptionist.post(url, form(visit_type, key=key_in(page), reason="Sore knee"))
    visit = Appointment.objects.get()
    assert sent["Location"] == f"/desk/?day={MONDAY}#visit-{visit.pk}"
    assert (visit.patient, visit.scheduled_start, visit.reason_for_visit) == (
        ada,
        NINE,
        "Sore knee",
    )
    assert visit.booked_via == "DESK"
    board = shown(receptionist.get(f"/desk/?day={MONDAY}"))
    assert "Booked: Ada Moreno" in board


def test_in_the_panel_a_booking_leads_to_the_visit(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    sent = receptionist.post(book_url(provider, NINE, ada), form(visit_type), headers=HTMX)
    visit = Appointment.objects.get()
    assert sent["Location"] == reverse("desk:appointment", args=[visit.pk])


def test_a_first_visit_is_proposed_to_who_never_came(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    first = VisitTypeFactory.create(code="NEW_PATIENT", label="New patient", minutes=45)
    url = book_url(provider, NINE, ada)
    assert receptionist.get(url).context["form"].initial["type"] == first.code
    AppointmentFactory.create(provider=provider, visit_type=visit_type, patient=ada)
    assert receptionist.get(url).context["form"].initial["type"] == visit_type.code


def test_sending_the_form_twice_books_once(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    url, same = book_url(provider, NINE, ada), form(visit_type)
    answers = [receptionist.post(url, same) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Appointment.objects.count() == 1


def test_the_same_key_with_another_body_is_refused_and_the_form_stays(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    sent = form(visit_type)
    receptionist.post(book_url(provider, NINE, ada), sent)
    other = receptionist.post(book_url(provider, NINE + HALF_HOUR, ada), sent)
    assert other.status_code == 422
    assert key_in(other) != sent["key"]
    assert Appointment.objects.count() == 1


def test_a_taken_time_offers_the_three_nearest_and_keeps_what_was_typed(
    receptionist: Client, provider: Provider, ada: Patient, taken: Appointment
) -> None:
    kind = taken.appointment_type
    url = book_url(provider, NINE, ada)
    refused = receptionist.post(url, form(kind, reason="Sore knee"))
    assert refused.status_code == 409
    assert "This time is no longer available." in shown(refused)
    offered = [one["when"] for one in refused.context["alternatives"]]
    assert offered == ["8:00\xa0am", "8:30\xa0am", "9:30\xa0am"]
    assert 'value="Sore knee"' in refused.content.decode()
    assert Appointment.objects.count() == 1
    instead = refused.context["alternatives"][0]["value"]
    again = form(kind, key=key_in(refused), reason="Sore knee", instead=instead)
    assert receptionist.post(url, again).status_code == 302
    assert Appointment.objects.get(patient=ada).reason_for_visit == "Sore knee"


def test_the_alternative_that_fits_best_says_so(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    long = VisitTypeFactory.create(code="LONG", minutes=45)
    AppointmentFactory.create(provider=provider, visit_type=long, start=at(MONDAY, "09:15"))
    refused = receptionist.post(book_url(provider, NINE, ada), form(long))
    marked = [one["when"] for one in refused.context["alternatives"] if one["is_best"]]
    assert marked == ["8:30\xa0am"]
    assert "8:30 am Best fit" in shown(refused)
    assert "Best fit leaves the least time in gaps too short to book." in shown(refused)


def test_alternatives_leave_out_times_at_which_the_patient_is_elsewhere(
    receptionist: Client, provider: Provider, ada: Patient, taken: Appointment
) -> None:
    kind = taken.appointment_type
    AppointmentFactory.create(visit_type=kind, patient=ada, start=NINE - HALF_HOUR)
    refused = receptionist.post(book_url(provider, NINE, ada), form(kind))
    offered = [one["when"] for one in refused.context["alternatives"]]
    assert "8:30\xa0am" not in offered
    assert len(offered) == 3


def test_a_patient_who_is_elsewhere_then_is_refused_with_alternatives(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    AppointmentFactory.create(visit_type=visit_type, patient=ada, start=NINE)
    refused = receptionist.post(book_url(provider, NINE, ada), form(visit_type))
    assert refused.status_code == 409
    assert "The patient already has an appointment at this time." in shown(refused)
    assert len(refused.context["alternatives"]) == 3
    assert "Overbook on purpose" not in shown(refused)


def test_overbooking_is_a_second_step_with_a_reason(
    receptionist: Client, provider: Provider, ada: Patient, taken: Appointment
) -> None:
    kind, url = taken.appointment_type, book_url(provider, NINE, ada)
    refused = receptionist.post(url, form(kind))
    assert "Overbook on purpose" in shown(refused)
    asked = receptionist.post(url, form(kind, step="overbook"))
    assert "This visit will stand beside it." in shown(asked)
    assert Appointment.objects.count() == 1
    receptionist.post(url, form(kind, overbook="on", override="URGENT"))
    visit = Appointment.objects.get(patient=ada)
    assert visit.overbook_lane == 1
    assert visit.events.get().details == {"override": "URGENT"}


def test_overbooking_needs_the_permission(
    clinic: Clinic,
    provider: Provider,
    ada: Patient,
    taken: Appointment,
    settings: Any,
) -> None:
    roles = settings.ROLE_PERMISSIONS
    less = roles["RECEPTIONIST"] - {"overbook"}
    settings.ROLE_PERMISSIONS = {**roles, "RECEPTIONIST": less}
    client, kind, url = at_the_desk(clinic), taken.appointment_type, book_url(provider, NINE, ada)
    assert "Overbook on purpose" not in shown(client.post(url, form(kind)))
    assert client.post(url, form(kind, overbook="on", override="URGENT")).status_code == 409
    assert Appointment.objects.count() == 1


def test_too_soon_asks_for_a_reason_with_a_default_and_one_more_enter_books(
    clinic: Clinic, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    url = book_url(provider, NINE, ada)
    with time_machine.travel(NINE - timedelta(minutes=20), tick=False):
        client = at_the_desk(clinic)
        refused = client.post(url, form(visit_type))
        assert refused.status_code == 409
        assert '<option value="PATIENT_CALLED">' in refused.content.decode()
        client.post(url, form(visit_type, override="PATIENT_CALLED"))
    assert Appointment.objects.get().events.get().details == {"override": "PATIENT_CALLED"}


@pytest.mark.parametrize(
    ("day", "clock", "words"),
    [
        (MONDAY, "06:00", "does not see patients at this time"),
        (MONDAY - timedelta(days=400), "09:00", "This time has passed."),
        (MONDAY + timedelta(days=420), "09:00", "cannot be booked yet"),
    ],
)
def test_times_outside_hours_past_and_beyond_the_horizon_are_refused_kindly(
    receptionist: Client,
    provider: Provider,
    ada: Patient,
    visit_type: VisitType,
    day: Any,
    clock: str,
    words: str,
) -> None:
    refused = receptionist.post(book_url(provider, at(day, clock), ada), form(visit_type))
    assert refused.status_code == 409
    assert words in shown(refused)
    assert Appointment.objects.count() == 0


def test_a_kept_time_is_booked_and_used_up(
    clinic: Clinic, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    client = at_the_desk(clinic)
    user = clinic.memberships.get().user
    phone, by = SlotHold.Purpose.PHONE, Actor.staff(user.pk)
    hold = hold_of(provider, visit_type, NINE, holder=str(user.pk), purpose=phone, by=by)
    url = f"{reverse('desk:book')}?hold={hold.pk}&patient={ada.pk}"
    assert "Book 9:00 am" in shown(client.get(url))
    assert client.post(url, form(visit_type)).status_code == 302
    assert SlotHold.objects.count() == 0
    assert Appointment.objects.get().scheduled_start == NINE


def test_a_kept_time_of_somebody_else_leads_nowhere(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    hold = hold_of(provider, visit_type, NINE, holder="another")
    sent = receptionist.get(f"{reverse('desk:book')}?hold={hold.pk}&patient={ada.pk}", follow=True)
    assert sent.status_code == 404


def test_a_time_kept_at_a_clinic_one_has_left_is_not_booked(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    user = MembershipFactory.create(clinic=clinic).user
    now_at = MembershipFactory.create(clinic=ClinicFactory.create(), user=user).clinic
    stranger = PatientFactory.create(clinic=now_at)
    phone, by = SlotHold.Purpose.PHONE, Actor.staff(user.pk)
    hold = hold_of(provider, visit_type, NINE, holder=str(user.pk), purpose=phone, by=by)
    clinic.memberships.update(is_active=False)
    client = Client()
    client.force_login(user)
    url = f"{reverse('desk:book')}?hold={hold.pk}&patient={stranger.pk}"
    assert client.get(url).status_code == 404
    assert client.post(url, form(visit_type)).status_code == 404
    assert Appointment.objects.count() == 0


def test_a_hold_of_another_makes_the_time_taken(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    hold_of(provider, visit_type, NINE)
    refused = receptionist.post(book_url(provider, NINE, ada), form(visit_type))
    assert refused.status_code == 409
    assert len(refused.context["alternatives"]) == 3


def test_without_a_time_one_is_looked_for(receptionist: Client, ada: Patient) -> None:
    sent = receptionist.get(reverse("desk:book"), {"patient": str(ada.pk)})
    assert sent["Location"] == f"{reverse('desk:next_available')}?patient={ada.pk}"


@pytest.mark.parametrize("value", ["x", "\0", "9" * 100_000, NOBODY, "1e309"])
@pytest.mark.parametrize("name", ["provider", "start", "patient", "type", "hold", "clinic"])
def test_an_address_that_makes_no_sense_is_not_found(
    receptionist: Client, provider: Provider, ada: Patient, name: str, value: str
) -> None:
    known = {"start": NINE.isoformat(), "provider": str(provider.pk), "patient": str(ada.pk)}
    answer = receptionist.get(reverse("desk:book"), known | {name: value}, follow=True)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "start",
    ["2026-06-09T09:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "now", "2026"],
)
def test_a_start_that_is_no_instant_is_not_found(
    receptionist: Client, provider: Provider, ada: Patient, start: str
) -> None:
    known = {"provider": str(provider.pk), "start": start, "patient": str(ada.pk)}
    assert receptionist.get(reverse("desk:book"), known).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "x"},
        {"type": ""},
        {"key": ""},
        {"key": "k" * 65},
        {"reason": "r" * 201},
        {"reason": "\0"},
        {"override": "x"},
        {"instead": "x"},
        {"instead": f"{NOBODY}|yesterday"},
        {"reason": "r" * 900_000},
    ],
)
def test_a_form_that_makes_no_sense_is_asked_again(
    receptionist: Client,
    provider: Provider,
    ada: Patient,
    visit_type: VisitType,
    wrong: dict[str, str],
) -> None:
    again = receptionist.post(book_url(provider, NINE, ada), form(visit_type) | wrong)
    assert again.status_code == 422
    assert Appointment.objects.count() == 0


def test_a_field_of_more_than_a_megabyte_is_a_bad_request(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    huge = form(visit_type, reason="r" * 1_100_000)
    assert receptionist.post(book_url(provider, NINE, ada), huge).status_code == 400


def test_another_clinics_patients_cannot_be_booked(
    receptionist: Client, provider: Provider, visit_type: VisitType
) -> None:
    stranger = PatientFactory.create(clinic=ClinicFactory.create())
    assert receptionist.get(book_url(provider, NINE, stranger)).status_code == 404


def test_a_lost_race_is_a_conflict_with_alternatives_and_never_a_second_visit(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType, now: datetime
) -> None:
    url = book_url(provider, NINE, ada)
    page = receptionist.get(url)
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE)
    refused = receptionist.post(url, form(visit_type, key=key_in(page)), headers=HTMX)
    assert refused.status_code == 409
    assert Appointment.objects.filter(scheduled_start=NINE).count() == 1
