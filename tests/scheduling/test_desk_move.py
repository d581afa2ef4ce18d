"""Moving a visit at the desk: which times are offered, and what happens when one is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from providers.hours import save_time_off
from providers.models import Clinic, Provider, TimeOff, VisitType
from scheduling.forms.fields import slot_value
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, ProviderFactory, VisitTypeFactory, at
from tests.scheduling.desk_cast import HTMX, MONDAY, NINE, at_the_desk, shown

NOBODY = "00000000-0000-7000-8000-000000000000"
pytestmark = pytest.mark.django_db
TEN = at(MONDAY, "10:00")


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType) -> Appointment:
    return AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE)


@pytest.fixture
def colleague(provider: Provider) -> Provider:
    return ProviderFactory.create(
        clinic=provider.clinic, specialty=provider.specialty, name="Dr. Colleague", working=True
    )


@pytest.fixture
def receptionist(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def url(visit: Appointment) -> str:
    return reverse("desk:move", args=[visit.pk])


def choice(visit: Appointment, **more: Any) -> dict[str, Any]:
    to = slot_value(provider=visit.provider_id, start=TEN)
    return {"version": visit.version, "slot": to} | more


def test_the_own_providers_times_come_first_then_colleagues_of_the_specialty(
    receptionist: Client, nine: Appointment, colleague: Provider
) -> None:
    ProviderFactory.create(clinic=nine.clinic, name="Dr. Other Specialty", working=True)
    page = receptionist.get(url(nine))
    labels = [group["label"] for group in page.context["groups"]]
    assert labels == ["Dr. Amara Diallo", "Dr. Colleague"]
    own = [time["label"] for time in page.context["groups"][0]["times"]]
    assert own[:3] == ["8:00\xa0am", "8:30\xa0am", "9:30\xa0am"]


def test_the_times_that_fit_best_say_so(receptionist: Client, provider: Provider) -> None:
    VisitTypeFactory.create(code="HALF_HOUR", minutes=30)
    long = VisitTypeFactory.create(code="LONG", minutes=45)
    quarter_past, eleven = at(MONDAY, "09:15"), at(MONDAY, "11:00")
    AppointmentFactory.create(provider=provider, visit_type=long, start=quarter_past)
    visit = AppointmentFactory.create(provider=provider, visit_type=long, start=eleven)
    page = receptionist.get(url(visit))
    times = page.context["groups"][0]["times"]
    assert [time["label"] for time in times if time["note"]] == ["8:30\xa0am"]
    assert "8:30 am Best fit" in shown(page)
    assert "Best fit leaves the least time in gaps too short to book." in shown(page)


def test_the_next_days_with_free_times_are_named_and_lead_to_them(
    receptionist: Client, nine: Appointment
) -> None:
    days = receptionist.get(url(nine)).context["days"]
    assert [day["count"] for day in days] == ["17 times", *["18 times"] * 5]
    tuesday = receptionist.get(days[1]["href"])
    assert tuesday.context["day"] == MONDAY + timedelta(days=1)


def test_a_visit_moves_to_the_chosen_time_and_the_history_says_from_where(
    receptionist: Client, nine: Appointment
) -> None:
    sent = receptionist.post(url(nine), choice(nine), headers=HTMX)
    assert sent["Location"] == reverse("desk:appointment", args=[nine.pk])
    nine.refresh_from_db()
    assert (nine.scheduled_start, nine.sequence) == (TEN, 1)
    page = shown(receptionist.get(sent["Location"], headers=HTMX))
    assert "Moved to" in page
    assert "9:00 am" in page.split("History")[1]


def test_a_visit_moves_to_a_colleague(
    receptionist: Client, nine: Appointment, colleague: Provider
) -> None:
    to = slot_value(provider=colleague.pk, start=NINE)
    receptionist.post(url(nine), choice(nine, slot=to))
    nine.refresh_from_db()
    assert (nine.provider, nine.scheduled_start) == (colleague, NINE)


def test_a_time_that_was_taken_meanwhile_is_a_conflict_that_shows_the_free_ones(
    receptionist: Client, nine: Appointment
) -> None:
    AppointmentFactory.create(provider=nine.provider, visit_type=nine.appointment_type, start=TEN)
    refused = receptionist.post(url(nine), choice(nine), headers=HTMX)
    assert refused.status_code == 409
    assert "This time is no longer available." in shown(refused)
    own = [time["label"] for time in refused.context["groups"][0]["times"]]
    assert "9:30\xa0am" in own
    assert "10:00\xa0am" not in own
    nine.refresh_from_db()
    assert nine.scheduled_start == NINE


def test_a_day_on_which_the_provider_is_away_says_so_and_names_colleagues(
    receptionist: Client, nine: Appointment, colleague: Provider
) -> None:
    tuesday = MONDAY + timedelta(days=1)
    away = {"start_datetime": at(tuesday, "00:00"), "end_datetime": at(tuesday, "23:00")}
    save_time_off(TimeOff(provider=nine.provider, reason="SICK", **away))
    text = shown(receptionist.get(url(nine), {"day": str(tuesday)}))
    assert "Dr. Amara Diallo has nothing free" in text
    assert "Dr. Colleague" in text


def test_a_time_within_the_notice_asks_for_a_reason_and_then_moves(
    clinic: Clinic, nine: Appointment
) -> None:
    with time_machine.travel(TEN - timedelta(minutes=20), tick=False):
        client = at_the_desk(clinic)
        refused = client.post(url(nine), choice(nine))
        assert refused.status_code == 409
        assert "Why is it moved all the same?" in shown(refused)
        client.post(url(nine), choice(nine, override="URGENT"))
    nine.refresh_from_db()
    assert nine.scheduled_start == TEN


def test_a_page_that_is_out_of_date_moves_nothing(receptionist: Client, nine: Appointment) -> None:
    receptionist.post(url(nine), choice(nine))
    again = receptionist.post(url(nine), choice(nine))
    assert again.status_code == 409
    assert "Somebody changed this appointment meanwhile" in shown(again)


@pytest.mark.parametrize("slot", ["", "x", "|", "\0", f"{NOBODY}|x", f"{NOBODY}|9" * 9_000])
def test_a_time_that_is_none_is_asked_again(
    receptionist: Client, nine: Appointment, slot: str
) -> None:
    assert receptionist.post(url(nine), choice(nine, slot=slot)).status_code == 422


def test_an_unknown_provider_is_not_found(receptionist: Client, nine: Appointment) -> None:
    to = slot_value(provider=uuid4(), start=TEN)
    assert receptionist.post(url(nine), choice(nine, slot=to)).status_code == 404


def test_a_day_that_is_none_is_not_found(receptionist: Client, nine: Appointment) -> None:
    assert receptionist.get(url(nine), {"day": "9999-12-31"}).status_code == 404
