"""Pages that find nothing free: the reason in words, and links that do find something."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.hours import save_time_off
from providers.models import Clinic, Provider, TimeOff, VisitType
from scheduling.availability import Query
from scheduling.forms.find import NextAvailableForm
from scheduling.models import Appointment
from scheduling.views.desk_explained import search_params
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    next_monday,
)
from tests.journeys.portal_booking import address, values
from tests.scheduling.desk_cast import shown

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MONDAY = next_monday(1)
YEARS = {
    "start_datetime": at(date(2020, 1, 6), "08:00"),
    "end_datetime": at(date(2090, 1, 2), "08:00"),
}


def away(provider: Provider) -> None:
    save_time_off(TimeOff(provider=provider, reason="SICK", **YEARS))


@pytest.fixture
def colleague(provider: Provider) -> Provider:
    return ProviderFactory.create(
        clinic=provider.clinic, specialty=provider.specialty, name="Dr. Zoe Young", working=True
    )


@pytest.fixture
def user(clinic: Clinic) -> User:
    return MembershipFactory.create(clinic=clinic).user


@pytest.fixture
def desk_client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def look(client: Client, **asked: Any) -> Any:
    return client.get(reverse("desk:next_available"), {"type": "FOLLOW_UP", **asked})


def follow(client: Client, answer: Any, title: str) -> Any:
    """Follow the step of that name, which stands on the page as a link."""
    step = next(step for step in answer.context["steps"] if step["title"] == title)
    assert f'href="{step["href"].replace("&", "&amp;")}"' in answer.content.decode()
    return client.get(step["href"])


def test_the_desk_is_told_why_and_each_step_finds_times(
    desk_client: Client, provider: Provider, colleague: Provider, visit_type: VisitType
) -> None:
    away(provider)
    asked = {"provider": provider.pk, "day": MONDAY.isoformat(), "patient": ""}
    answer = look(desk_client, **asked)
    assert "Dr. Amara Diallo is away until Monday, January 2, 2090." in shown(answer)
    assert "SICK" not in shown(answer)
    found = follow(desk_client, answer, f"Other providers: {provider.specialty}")
    rows = [row for day in found.context["days"] for row in day["rows"]]
    assert {row["name"] for row in rows} == {colleague.name}
    assert found.context["form"].cleaned_data["day"] == MONDAY


def test_evenings_lead_to_any_time_of_day_with_the_rest_kept(
    desk_client: Client, patient: Patient, provider: Provider, visit_type: VisitType
) -> None:
    asked = {"part": "evening", "not_on": [1, 3], "patient": patient.pk}
    answer = look(desk_client, **asked)
    assert "Free at other times of day, but not in the evening." in shown(answer)
    found = follow(desk_client, answer, "Any time of day")
    assert found.context["days"]
    assert found.context["for_patient"] == patient
    assert found.context["form"].cleaned_data["not_on"] == {1, 3}


def test_less_notice_leads_to_booking_with_a_reason(
    desk_client: Client, patient: Patient, provider: Provider
) -> None:
    VisitTypeFactory.create(code="PLANNED", minimum_notice_minutes=60 * 24 * 600, horizon_days=500)
    answer = look(desk_client, type="PLANNED", patient=patient.pk)
    assert "is booked at least 600 days ahead" in shown(answer)
    assert [step["title"] for step in answer.context["steps"]] == ["Less notice, with a reason"]
    booking = follow(desk_client, answer, "Less notice, with a reason")
    key = values(booking, "key")[0]
    sent = {"key": key, "type": "PLANNED", "step": "book"}
    refused = desk_client.post(answer.context["steps"][0]["href"], sent)
    assert refused.status_code == 409
    assert "Why is it booked all the same?" in shown(refused)
    desk_client.post(answer.context["steps"][0]["href"], {**sent, "override": "URGENT"})
    assert Appointment.objects.get().patient == patient


def test_where_nothing_can_be_done_the_desk_is_told_so(
    desk_client: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    assert "No change to a single constraint finds a time." in shown(look(desk_client))


def test_nothing_is_explained_where_something_is_free(
    desk_client: Client, provider: Provider, visit_type: VisitType
) -> None:
    assert "steps" not in look(desk_client).context


def test_the_end_of_the_list_is_not_an_empty_search(
    desk_client: Client, provider: Provider, visit_type: VisitType
) -> None:
    far = timezone.now() + timedelta(days=700)
    answer = look(desk_client, after=f"{far:%Y%m%dT%H%MZ}_{provider.pk.hex}")
    assert "No later times" in shown(answer)
    assert "steps" not in answer.context


def test_what_the_form_is_told_is_read_back_as_the_same_search(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    Provider.objects.update(languages=["es"])
    query = Query(
        visit_type,
        MONDAY,
        MONDAY + 366 * DAY,
        (clinic,),
        provider=provider,
        specialty=provider.specialty,
        language="es",
        telehealth=True,
        new_patient=True,
        weekdays=frozenset({0, 4}),
        not_before=time(12),
        not_after=time(16, 59),
    )
    address = RequestFactory().get("/", search_params(query)).GET
    form = NextAvailableForm(address, clinics=[clinic])
    assert form.is_valid(), form.errors
    assert form.query(today=MONDAY - DAY) == query


def test_the_desk_moves_past_an_absence(
    desk_client: Client, patient: Patient, provider: Provider, colleague: Provider
) -> None:
    visit = AppointmentFactory.create(provider=provider, patient=patient, start=at(MONDAY, "09:00"))
    away(provider)
    Provider.objects.filter(pk=colleague.pk).update(is_active=False)
    answer = desk_client.get(reverse("desk:move", args=[visit.pk]))
    assert "Dr. Amara Diallo is away until Monday, January 2, 2090." in shown(answer)
    assert answer.context["steps"] == []
    Provider.objects.filter(pk=colleague.pk).update(is_active=True)
    friday = {"day": (MONDAY + 5 * DAY).isoformat()}
    answer = desk_client.get(reverse("desk:move", args=[visit.pk]), friday)
    moved = follow(desk_client, answer, f"Other providers: {provider.specialty}")
    assert moved.context["groups"][0]["label"] == colleague.name


@pytest.fixture(autouse=True)
def _nobody_asked_before() -> None:
    cache.clear()


def test_a_patient_is_told_why_and_each_step_finds_days(
    client: Client, provider: Provider, colleague: Provider, visit_type: VisitType
) -> None:
    away(provider)
    answer = client.get(address("days", provider=str(provider.pk), time="morning"))
    text = shown(answer)
    assert "Dr. Amara Diallo is away for now." in text
    assert "sick" not in text.lower()
    assert "(212) 555-0100" in text
    found = follow(client, answer, "Show other providers too")
    assert values(found, "day")
    assert parse_qs(urlsplit(found.request["QUERY_STRING"]).path)["time"] == ["morning"]


def test_an_empty_evening_leads_to_all_times_of_day(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    answer = client.get(address("days", time="evening"))
    assert "There are free times, but not in the evening." in shown(answer)
    assert values(follow(client, answer, "Show all times of day"), "day")


def test_a_day_without_wanted_times_leads_to_its_other_times(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    ProviderScheduleFactory.create(
        provider=provider, day_of_week=5, start_time=time(17), end_time=time(20)
    )
    asked = {"day": MONDAY.isoformat(), "time": "evening"}
    answer = client.get(address("times", **asked))
    assert answer.status_code == 409
    assert "not in the evening. You can choose another day." in shown(answer)
    assert values(answer, "day")
    assert [step["title"] for step in answer.context["steps"]] == ["Show all times of day"]
    assert values(follow(client, answer, "Show all times of day"), "slot")


def test_no_other_days_and_no_times_are_explained_once(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    away(provider)
    answer = client.get(address("times", day=MONDAY.isoformat()))
    assert answer.status_code == 409
    assert shown(answer).count("The team for this visit is away for now.") == 1


def test_a_visit_by_video_leads_to_the_clinic(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    VisitTypeFactory.create(code="TELEHEALTH", is_telehealth=True)
    answer = client.get(address("days", place="video"))
    assert "We do not offer this visit by video right now." in shown(answer)
    assert values(follow(client, answer, "Come to the clinic instead"), "day")


@pytest.fixture
def visit(patient: Patient, provider: Provider, visit_type: VisitType) -> Appointment:
    visit: Appointment = AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, start=at(MONDAY, "09:00")
    )
    return visit


@pytest.fixture
def own_client(visit: Appointment) -> Client:
    user = User.objects.create(username="own")
    Patient.objects.filter(pk=visit.patient.pk).update(user=user)
    client = Client()
    client.force_login(user)
    return client


def test_a_patient_who_moves_is_told_why_and_led_to_colleagues(
    own_client: Client, visit: Appointment, provider: Provider, colleague: Provider
) -> None:
    away(provider)
    answer = own_client.get(reverse("portal:change", args=[visit.pk]))
    assert "Dr. Amara Diallo is away for now." in shown(answer)
    assert values(follow(own_client, answer, "Show other providers too"), "day")


def test_a_patient_who_moves_to_an_empty_day_is_led_to_that_days_colleagues(
    own_client: Client, visit: Appointment, provider: Provider, colleague: Provider
) -> None:
    day = MONDAY + DAY
    span = {"start_datetime": at(day, "00:00"), "end_datetime": at(day, "23:00")}
    save_time_off(TimeOff(provider=provider, reason="CME", **span))
    times = reverse("portal:change_times", args=[visit.pk])
    answer = own_client.get(times, {"day": day.isoformat()})
    assert answer.status_code == 409
    assert "Dr. Amara Diallo is away on Tuesday" in shown(answer)
    assert values(answer, "day")
    assert values(follow(own_client, answer, "Show other providers too"), "slot")


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_at_the_end_of_the_calendar_has_no_free_time(
    own_client: Client, visit: Appointment, day: str
) -> None:
    times = reverse("portal:change_times", args=[visit.pk])
    assert own_client.get(times, {"day": day}).status_code == 409


def test_an_empty_page_costs_the_same_however_many_providers_there_are(
    desk_client: Client, provider: Provider, visit_type: VisitType
) -> None:
    asked = {"part": "evening", "not_on": [1]}
    desk_client.get(reverse("desk:shortcuts"))  # the menu counts what waits, every 20 seconds
    with CaptureQueriesContext(connection) as few:
        look(desk_client, **asked)
    ProviderFactory.create_batch(9, clinic=provider.clinic, working=True)
    with CaptureQueriesContext(connection) as many:
        look(desk_client, **asked)
    assert len(many) == len(few)
