"""After a change of which all is known, the next reader needs no rows and is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import Patient
from providers.calendars import bump
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import Query, search
from scheduling.holds import extend_hold, release_hold
from scheduling.models import SlotHold
from scheduling.placing import Terms
from tests.factories import ProviderFactory, at, hold_of, next_monday
from tests.scheduling.oracle import Offer, fresh_search

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.redis]
TERMS = Terms()
MONDAY = next_monday(1)
# Who matches, and who they are that are shown.
WITHOUT_ROWS = 2
Act = Callable[[Provider, VisitType, Patient], object]


def query_of(provider: Provider, visit_type: VisitType) -> Query:
    """Ask for two weeks: on any day of the week they end within the days that are carried over."""
    return Query(visit_type, MONDAY, MONDAY + timedelta(days=13), (provider.clinic,))


def asked(query: Query, now: datetime) -> tuple[list[Offer], int]:
    with CaptureQueriesContext(connection) as statements:
        found = search(query, terms=TERMS, now=now, limit=10_000)
    offers = [Offer(s.start, s.end, s.provider.pk, s.clinic.pk) for s in found]
    return offers, len(statements)


def book(
    provider: Provider,
    visit_type: VisitType,
    patient: Patient,
    clock: str = "09:00",
    hold: SlotHold | None = None,
) -> object:
    return booking.book(
        patient=patient,
        provider=provider,
        clinic=provider.clinic,
        visit_type=visit_type,
        start=at(MONDAY, clock),
        hold=hold,
        by=Actor.patient(),
        now=timezone.now(),
    )


def hold(provider: Provider, visit_type: VisitType, _patient: Patient) -> SlotHold:
    return hold_of(provider, visit_type, at(MONDAY, "10:00"))


def hold_longer(provider: Provider, visit_type: VisitType, patient: Patient) -> object:
    return extend_hold(hold(provider, visit_type, patient), now=timezone.now())


def let_go(provider: Provider, visit_type: VisitType, patient: Patient) -> None:
    release_hold(hold(provider, visit_type, patient))


def book_what_is_held(provider: Provider, visit_type: VisitType, patient: Patient) -> object:
    return book(provider, visit_type, patient, "10:00", hold(provider, visit_type, patient))


def hold_another(provider: Provider, visit_type: VisitType, patient: Patient) -> object:
    hold(provider, visit_type, patient)
    return hold_of(provider, visit_type, at(MONDAY, "13:00"))


@pytest.mark.parametrize(
    "act",
    [book, hold, hold_longer, let_go, book_what_is_held, hold_another],
    ids=attrgetter("__name__"),
)
@pytest.mark.usefixtures("redis_server")
def test_what_is_known_is_carried_over(
    act: Act, provider: Provider, visit_type: VisitType, patient: Patient, now: datetime
) -> None:
    buffered = replace_buffers(visit_type)
    query = query_of(provider, buffered)
    ProviderFactory.create(clinic=provider.clinic)
    before, _count = asked(query, now)
    assert asked(query, now) == (before, WITHOUT_ROWS)
    act(provider, buffered, patient)
    found, count = asked(query, now)
    assert found == fresh_search(query, TERMS, now)
    assert (found == before) is (act is let_go)
    assert count == WITHOUT_ROWS


def replace_buffers(visit_type: VisitType) -> VisitType:
    visit_type.buffer_before_minutes, visit_type.buffer_after_minutes = 15, 15
    visit_type.save()
    return visit_type


@pytest.mark.usefixtures("redis_server")
def test_freed_time_is_worked_out_anew_and_other_weeks_are_carried_over(
    provider: Provider, visit_type: VisitType, patient: Patient, now: datetime
) -> None:
    visit = book(provider, visit_type, patient)
    query = query_of(provider, visit_type)
    asked(query, now)
    later = replace(query, first_day=MONDAY + timedelta(days=8))
    booking.cancel(appointment=visit, reason="PATIENT_REQUEST", by=Actor.patient(), now=now)  # type: ignore[arg-type]
    assert asked(later, now)[1] == WITHOUT_ROWS
    found, count = asked(query, now)
    assert found == fresh_search(query, TERMS, now)
    assert count > WITHOUT_ROWS
    moved = book(provider, visit_type, patient, "11:00")
    asked(query, now)
    booking.reschedule(
        appointment=moved,  # type: ignore[arg-type]
        start=at(MONDAY, "14:00"),
        by=Actor.patient(),
        now=now,
    )
    assert asked(later, now)[1] == WITHOUT_ROWS
    assert asked(query, now)[0] == fresh_search(query, TERMS, now)


@pytest.mark.usefixtures("redis_server")
def test_nothing_is_carried_over_a_change_that_came_between(
    provider: Provider, visit_type: VisitType, patient: Patient, now: datetime
) -> None:
    query = query_of(provider, visit_type)
    asked(query, now)
    bump([provider.pk])
    book(provider, visit_type, patient)
    found, count = asked(query, now)
    assert found == fresh_search(query, TERMS, now)
    assert count > WITHOUT_ROWS
