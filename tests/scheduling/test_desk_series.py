"""A repeated visit: each date shown free or not, and the chosen ones booked as one series."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory
from tests.scheduling.desk_cast import NINE, at_the_desk, book_url, shown

pytestmark = pytest.mark.django_db
WEEK = timedelta(weeks=1)


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno")


@pytest.fixture
def receptionist(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


@pytest.fixture
def address(receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType) -> str:
    """Four weekly visits, as quick book leads to them."""
    sent = receptionist.post(
        book_url(provider, NINE, ada),
        {"key": "k", "type": visit_type.code, "step": "series", "every": "1", "times": "4"},
    )
    location: str = sent["Location"]
    assert location.startswith(reverse("desk:series"))
    return location


def chosen(page: Any, **changed: str) -> dict[str, str]:
    """Return what the form sends as it stands."""
    fields = {field.name: field.value() for field in page.context["fields"]}
    return {"key": uuid4().hex, **fields, **changed}


def test_every_date_is_shown_and_all_are_booked_as_one_series(
    receptionist: Client, address: str
) -> None:
    page = receptionist.get(address)
    assert "4 of 4 dates are free at this time." in shown(page)
    receptionist.post(address, chosen(page))
    visits = list(Appointment.objects.all())
    assert [visit.local_start.hour for visit in visits] == [9, 9, 9, 9]
    assert len({visit.series for visit in visits}) == 1
    assert visits[0].series is not None


def test_a_date_that_is_taken_is_left_out_unless_another_time_is_chosen(
    receptionist: Client, address: str, provider: Provider, visit_type: VisitType, ada: Patient
) -> None:
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE + WEEK)
    page = receptionist.get(address)
    assert "3 of 4 dates are free at this time." in shown(page)
    assert "9:00 am is not free on this day." in shown(page)
    receptionist.post(address, chosen(page))
    assert Appointment.objects.filter(patient=ada).count() == 3


def test_another_time_of_a_taken_date_can_be_chosen(
    receptionist: Client, address: str, provider: Provider, visit_type: VisitType, ada: Patient
) -> None:
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE + WEEK)
    page = receptionist.get(address)
    half_past = (NINE + WEEK + timedelta(minutes=30)).astimezone(provider.clinic.zone).isoformat()
    receptionist.post(address, chosen(page, date_1=half_past))
    starts = Appointment.objects.filter(patient=ada).values_list("scheduled_start", flat=True)
    assert NINE + WEEK + timedelta(minutes=30) in starts
    assert len(starts) == 4


def test_a_date_lost_meanwhile_is_a_conflict_and_books_nothing(
    receptionist: Client, address: str, provider: Provider, visit_type: VisitType, ada: Patient
) -> None:
    sent = chosen(receptionist.get(address))
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE + 2 * WEEK)
    refused = receptionist.post(address, sent)
    assert refused.status_code == 409
    assert "9:00 am is not free on this day." in shown(refused)
    assert Appointment.objects.filter(patient=ada).count() == 0


def test_a_date_at_which_the_patient_is_elsewhere_is_a_conflict(
    receptionist: Client, address: str, visit_type: VisitType, ada: Patient
) -> None:
    AppointmentFactory.create(patient=ada, visit_type=visit_type, start=NINE + WEEK)
    refused = receptionist.post(address, chosen(receptionist.get(address)))
    assert refused.status_code == 409
    assert "already has an appointment" in shown(refused)
    assert Appointment.objects.filter(patient=ada).count() == 1


def test_to_choose_no_date_is_asked_again(receptionist: Client, address: str) -> None:
    page = receptionist.get(address)
    none = dict.fromkeys(chosen(page), "") | {"key": "k"}
    again = receptionist.post(address, none)
    assert again.status_code == 422
    assert "Choose at least one date." in shown(again)


def test_the_hour_on_the_wall_stays_when_the_clocks_change(
    receptionist: Client, provider: Provider, ada: Patient, visit_type: VisitType
) -> None:
    sent = receptionist.post(
        book_url(provider, NINE, ada),
        {"key": "k", "type": visit_type.code, "step": "series", "every": "4", "times": "7"},
    )
    page = receptionist.get(sent["Location"])
    receptionist.post(sent["Location"], chosen(page))
    assert {visit.local_start.hour for visit in Appointment.objects.all()} == {9}


@pytest.mark.parametrize(("every", "times"), [("3", "4"), ("1", "1"), ("1", "27"), ("x", "y")])
def test_a_repetition_that_makes_no_sense_is_asked_again(
    receptionist: Client,
    provider: Provider,
    ada: Patient,
    visit_type: VisitType,
    every: str,
    times: str,
) -> None:
    wrong = {"key": "k", "type": visit_type.code, "step": "series", "every": every, "times": times}
    assert receptionist.post(book_url(provider, NINE, ada), wrong).status_code == 422
    bad = reverse("desk:series") + f"?every={every}&times={times}"
    assert receptionist.get(bad).status_code == 404
