"""Which times are free across providers, and that asking costs the same however many there are."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import Patient
from providers.hours import save_closure, save_schedule, save_time_off
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import FreeSlot, Query, days_with_openings, is_free, nearest, search
from scheduling.holds import release_hold
from scheduling.policies import terms_for
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ProviderFactory,
    SpecialtyFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)

PATIENT = terms_for(Actor.patient())
DAY = timedelta(days=1)
MONDAY = next_monday(1)

pytestmark = pytest.mark.django_db


def monday(whose: Provider, visit_type: VisitType, **wanted: object) -> Query:
    fields = {"first_day": MONDAY, "last_day": MONDAY, "clinics": (whose.clinic,)} | wanted
    return Query(visit_type=visit_type, **fields)  # type: ignore[arg-type]


def clocks(slots: list[FreeSlot]) -> list[str]:
    return [f"{slot.local_start:%H:%M}" for slot in slots]


def test_a_free_morning_is_offered_in_order_from_the_first_minute(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    found = search(monday(provider, visit_type), terms=PATIENT, now=now, limit=3)
    assert clocks(found) == ["08:00", "08:30", "09:00"]
    assert found[0].provider == provider
    assert found[0].clinic == provider.clinic


def test_a_page_continues_after_the_last_time_of_the_page_before(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    query = monday(provider, visit_type)
    first = search(query, terms=PATIENT, now=now, limit=4)
    second = search(query, terms=PATIENT, now=now, limit=4, after=first[-1].start)
    assert clocks(first + second) == clocks(search(query, terms=PATIENT, now=now, limit=8))


def test_booked_time_is_not_offered_and_cancelled_time_is_again(
    provider: Provider, visit_type: VisitType, patient: Patient, now: datetime
) -> None:
    query = monday(provider, visit_type)
    nine = at(MONDAY, "09:00")
    booked = booking.book(
        patient=patient,
        provider=provider,
        clinic=provider.clinic,
        visit_type=visit_type,
        start=nine,
        by=Actor.patient(),
        now=now,
    )
    assert not is_free(query, start=nine, terms=PATIENT, now=now)
    booking.cancel(appointment=booked, reason="PATIENT_REQUEST", by=Actor.patient(), now=now)
    assert is_free(query, start=nine, terms=PATIENT, now=now)


def test_held_time_is_offered_to_nobody_but_its_holder(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    query = monday(provider, visit_type)
    hold = hold_of(provider, visit_type, at(MONDAY, "08:00"))
    assert clocks(search(query, terms=PATIENT, now=now, limit=1)) == ["08:30"]
    own = search(query, terms=PATIENT, now=now, limit=1, ignore=hold)
    assert clocks(own) == ["08:00"]
    release_hold(hold)
    assert clocks(search(query, terms=PATIENT, now=now, limit=1)) == ["08:00"]


def test_a_visit_that_is_moved_may_overlap_its_old_time_and_stays_nowhere(
    provider: Provider, patient: Patient, now: datetime
) -> None:
    long = VisitTypeFactory.create(minutes=60)
    visit = AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=long, start=at(MONDAY, "09:00")
    )
    query = monday(provider, long)
    others = search(query, terms=PATIENT, now=now, limit=4)
    assert clocks(others) == ["08:00", "10:00", "10:30", "11:00"]
    moves = search(query, terms=PATIENT, now=now, limit=4, ignore=visit)
    assert clocks(moves) == ["08:00", "08:30", "09:30", "10:00"]


def test_time_off_and_closures_take_their_hours_away(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    save_time_off(
        TimeOff(
            provider=provider,
            start_datetime=at(MONDAY, "08:00"),
            end_datetime=at(MONDAY, "10:00"),
            reason="CME",
        )
    )
    save_closure(
        ClinicClosure(
            clinic=provider.clinic,
            start_datetime=at(MONDAY, "10:00"),
            end_datetime=at(MONDAY, "16:00"),
            label="Flood",
        )
    )
    found = search(monday(provider, visit_type), terms=PATIENT, now=now)
    assert clocks(found) == ["16:00", "16:30"]


def test_a_closure_of_one_clinic_leaves_the_providers_other_clinic_open(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    other = ClinicFactory.create()
    sunday = MONDAY - DAY
    save_schedule(
        ProviderSchedule(
            provider=provider,
            clinic=other,
            day_of_week=6,
            start_time=time(8),
            end_time=time(9),
            slot_duration_minutes=30,
            valid_from=sunday,
        )
    )
    save_closure(
        ClinicClosure(
            clinic=provider.clinic,
            start_datetime=at(sunday, "00:00"),
            end_datetime=at(MONDAY + DAY, "00:00"),
            label="Move",
        )
    )
    query = monday(provider, visit_type, first_day=sunday, clinics=(provider.clinic, other))
    found = search(query, terms=PATIENT, now=now)
    assert [(slot.clinic, slot.local_start.hour) for slot in found] == [(other, 8), (other, 8)]


def test_days_say_how_many_different_times_they_have(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    ProviderFactory.create(clinic=provider.clinic, working=True)
    query = monday(provider, visit_type, last_day=MONDAY + 13 * DAY)
    days = days_with_openings(query, terms=PATIENT, now=now, days=6)
    assert [(day.day, day.count) for day in days[:2]] == [(MONDAY, 18), (MONDAY + DAY, 18)]
    assert days[5].day == MONDAY + 7 * DAY


def test_nearest_offers_the_same_provider_first_and_then_colleagues_of_the_specialty(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    colleague = ProviderFactory.create(
        clinic=provider.clinic, specialty=provider.specialty, working=True
    )
    ProviderFactory.create(
        clinic=provider.clinic, specialty=SpecialtyFactory.create(), working=True
    )
    hold_of(provider, visit_type, at(MONDAY, "09:00"))
    found = nearest(
        monday(provider, visit_type, provider=provider),
        to=at(MONDAY, "09:00"),
        terms=PATIENT,
        now=now,
        limit=2,
    )
    assert clocks(found) == ["08:30", "09:30"]
    save_time_off(
        TimeOff(
            provider=provider,
            start_datetime=at(MONDAY - 2 * DAY, "00:00"),
            end_datetime=at(MONDAY + 30 * DAY, "00:00"),
            reason="SICK",
        )
    )
    found = nearest(
        monday(provider, visit_type, provider=provider),
        to=at(MONDAY, "09:00"),
        terms=PATIENT,
        now=now,
        limit=2,
    )
    assert [(slot.provider, f"{slot.local_start:%H:%M}") for slot in found] == [
        (colleague, "09:00")
    ]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ({"language": "es"}, "speaks"),
        ({"telehealth": True}, "video"),
        ({"new_patient": True}, "new"),
    ],
)
def test_filters_leave_the_providers_who_fit(
    clinic: Clinic, visit_type: VisitType, now: datetime, wanted: dict[str, object], kept: str
) -> None:
    plain = {"languages": ["en"], "offers_telehealth": False, "accepts_new_patients": False}
    who = {
        "plain": ProviderFactory.create(clinic=clinic, working=True, **plain),
        "speaks": ProviderFactory.create(
            clinic=clinic, working=True, **{**plain, "languages": ["es"]}
        ),
        "video": ProviderFactory.create(
            clinic=clinic, working=True, **{**plain, "offers_telehealth": True}
        ),
        "new": ProviderFactory.create(
            clinic=clinic, working=True, **{**plain, "accepts_new_patients": True}
        ),
    }
    query = monday(who["plain"], visit_type, **wanted)
    found = search(query, terms=PATIENT, now=now, limit=50)
    assert {slot.provider for slot in found} == {who[kept]}


def test_weekdays_and_times_of_day_are_those_of_the_clinics_clock(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    query = monday(
        provider,
        visit_type,
        last_day=MONDAY + 6 * DAY,
        weekdays=frozenset({1}),
        not_before=time(9),
        not_after=time(9, 30),
    )
    found = search(query, terms=PATIENT, now=now)
    assert [slot.local_start.weekday() for slot in found] == [1, 1]
    assert clocks(found) == ["09:00", "09:30"]


def test_notice_and_horizon_bind_patients_and_not_staff_with_a_reason(
    provider: Provider, now: datetime
) -> None:
    strict = VisitTypeFactory.create(minimum_notice_minutes=60 * 24 * 30, horizon_days=40)
    query = monday(provider, strict)
    assert search(query, terms=PATIENT, now=now) == []
    override = terms_for(Actor.staff(1), override="URGENT")
    assert search(query, terms=override, now=now, limit=1) != []


@pytest.mark.parametrize("providers", [1, 12])
def test_a_search_asks_the_same_number_of_questions_for_one_provider_and_for_twelve(
    clinic: Clinic, visit_type: VisitType, providers: int
) -> None:
    for _ in range(providers):
        someone = ProviderFactory.create(clinic=clinic, working=True)
    with CaptureQueriesContext(connection) as asked:
        search(monday(someone, visit_type), terms=PATIENT, now=timezone.now())
    assert len(asked) == 3
