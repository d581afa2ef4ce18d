"""Which of the times on offer are marked as best fits, from the rows as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers.hours import save_closure, save_time_off
from providers.models import Clinic, ClinicClosure, Provider, TimeOff, VisitType
from scheduling.actors import Actor
from scheduling.availability import FreeSlot, Query, best_fits, search
from scheduling.models import Appointment, SlotHold
from scheduling.policies import terms_for
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)

pytestmark = pytest.mark.django_db
MONDAY = next_monday(1)
DESK = terms_for(Actor.staff(1), override="asked later")


@pytest.fixture
def half_hour() -> VisitType:
    return VisitTypeFactory.create(code="HALF_HOUR", minutes=30)


@pytest.fixture
def long(half_hour: VisitType) -> VisitType:
    """Three quarters of an hour, on a grid of half hours: something is left over."""
    return VisitTypeFactory.create(code="LONG", minutes=45)


@pytest.fixture
def doctor(clinic: Clinic) -> Provider:
    """Somebody who works on Mondays from 8:00 to 12:00."""
    return working(clinic)


def working(clinic: Clinic, **more: object) -> Provider:
    provider = ProviderFactory.create(clinic=clinic, **more)
    ProviderScheduleFactory.create(provider=provider, end_time=time(12))
    return provider


def visit_at(provider: Provider, clock: str, kind: VisitType) -> Appointment:
    return AppointmentFactory.create(provider=provider, visit_type=kind, start=at(MONDAY, clock))


def offers(query: Query, ignore: SlotHold | Appointment | None = None) -> list[FreeSlot]:
    return search(query, terms=DESK, now=timezone.now(), limit=500, ignore=ignore)


def best(
    kind: VisitType,
    *providers: Provider,
    shown: slice = slice(None),
    now: datetime | None = None,
    ignore: SlotHold | Appointment | None = None,
    **wanted: object,
) -> list[str]:
    """Return the marked ones of the free times shown, by the clock."""
    clinics = tuple({provider.clinic for provider in providers})
    query = replace(Query(kind, MONDAY, MONDAY, clinics), **wanted)  # type: ignore[arg-type]
    slots = offers(query, ignore)[shown]
    kinds = VisitType.objects.all()
    now = now or timezone.now()
    places = best_fits(slots, query=query, kinds=kinds, terms=DESK, now=now, ignore=ignore)
    assert places <= {slot.place for slot in slots}
    return [f"{slot.local_start:%H:%M}" for slot in slots if slot.place in places]


def test_the_time_that_leaves_no_gap_too_short_to_book_fits_best(
    doctor: Provider, long: VisitType
) -> None:
    visit_at(doctor, "09:15", long)
    assert best(long, doctor) == ["08:30"]


def test_where_all_are_equal_none_is_marked(doctor: Provider, half_hour: VisitType) -> None:
    assert best(half_hour, doctor) == []
    assert best_fits([], query=Query(half_hour, MONDAY, MONDAY, ()), kinds=[], terms=DESK,
                     now=timezone.now()) == frozenset()  # fmt: skip


def test_a_page_that_shows_a_part_of_the_day_marks_as_the_whole_day_does(
    doctor: Provider, long: VisitType
) -> None:
    visit_at(doctor, "09:15", long)
    assert best(long, doctor, shown=slice(1, 3)) == ["08:30"]
    assert best(long, doctor, shown=slice(2, None)) == []


def test_what_the_query_does_not_want_is_not_compared(
    doctor: Provider, half_hour: VisitType, long: VisitType
) -> None:
    half_hour.delete()
    visit_at(doctor, "08:45", long)
    assert best(long, doctor) == ["08:00"]
    assert best(long, doctor, not_before=time(9)) == ["09:30", "11:00"]
    assert best(long, doctor, not_before=time(9), not_after=time(10, 30)) == ["09:30"]


def test_every_provider_has_a_day_of_their_own(
    clinic: Clinic, doctor: Provider, long: VisitType
) -> None:
    other = working(clinic)
    visit_at(doctor, "09:15", long)
    visit_at(other, "10:15", long)
    assert best(long, doctor, other) == ["08:30", "09:30"]


def test_holds_time_off_and_closures_bound_a_gap_like_visits(
    clinic: Clinic, doctor: Provider, long: VisitType
) -> None:
    away, free = working(clinic), working(clinic)
    times = {"start_datetime": at(MONDAY, "09:15"), "end_datetime": at(MONDAY, "10:00")}
    hold = hold_of(doctor, long, times["start_datetime"], now=timezone.now(), by=Actor.staff(1))
    assert best(long, doctor, provider=doctor) == ["08:30"]
    save_time_off(TimeOff(provider=away, reason="CME", **times))
    assert best(long, away, provider=away) == ["08:30"]
    unbounded = best(long, free, provider=free)
    assert unbounded == best(long, doctor, provider=doctor, ignore=hold) == []
    save_closure(ClinicClosure(clinic=clinic, label="Drill", **times))
    assert best(long, free, provider=free) == ["08:30"]


def test_a_visit_that_is_moved_takes_no_time_and_its_place_is_not_compared(
    doctor: Provider, long: VisitType
) -> None:
    visit = visit_at(doctor, "08:30", long)
    visit_at(doctor, "09:15", long)
    moved = best(long, doctor, ignore=visit)
    assert "08:30" not in moved
    assert moved == ["10:00", "10:30", "11:00"]


def test_only_a_provider_who_offers_video_can_fill_a_gap_with_it(
    clinic: Clinic, doctor: Provider, long: VisitType
) -> None:
    VisitTypeFactory.create(code="VIDEO", minutes=15, buffer_before_minutes=15, is_telehealth=True)
    on_screen = working(clinic, offers_telehealth=True)
    for provider in (doctor, on_screen):
        visit_at(provider, "08:45", long)
    assert best(long, doctor, provider=doctor) == ["08:00"]
    filled = best(long, on_screen, provider=on_screen)
    assert filled == ["08:00", "09:30", "10:00", "10:30"]


def test_times_within_the_notice_are_not_compared(doctor: Provider, long: VisitType) -> None:
    visit_at(doctor, "09:15", long)
    soon = at(MONDAY, "08:15") - timedelta(minutes=long.minimum_notice_minutes)
    query = Query(long, MONDAY, MONDAY, (doctor.clinic,))
    slots = offers(query)
    strict = terms_for(Actor.staff(1))
    kinds = VisitType.objects.all()
    marked = best_fits(slots, query=query, kinds=kinds, terms=strict, now=soon)
    assert [f"{s.local_start:%H:%M}" for s in slots if s.place in marked] == ["08:30"]
    late = at(MONDAY, "08:40") - timedelta(minutes=long.minimum_notice_minutes)
    assert best_fits(slots, query=query, kinds=kinds, terms=strict, now=late) == frozenset()


@pytest.mark.parametrize("providers", [1, 12])
def test_it_asks_one_question_however_many_times_are_shown(
    clinic: Clinic, long: VisitType, providers: int
) -> None:
    doctors = [working(clinic) for _ in range(providers)]
    visit_at(doctors[0], "09:15", long)
    query = Query(long, MONDAY, MONDAY + timedelta(days=28), (clinic,))
    slots, kinds = offers(query), list(VisitType.objects.all())
    with CaptureQueriesContext(connection) as asked:
        found = best_fits(slots, query=query, kinds=kinds, terms=DESK, now=timezone.now())
    assert found
    assert len(asked) == 1
