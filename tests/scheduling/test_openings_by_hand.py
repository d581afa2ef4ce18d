"""The desk offers time that nobody freed: free, worked, to come, and never twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from providers import hours
from providers.models import ClinicClosure, Provider, TimeOff, VisitType
from scheduling.actors import Actor
from scheduling.errors import (
    ClinicClosed,
    InThePast,
    OutsideHours,
    ProviderAway,
    ProviderInactive,
    SchedulingError,
    SlotTaken,
)
from scheduling.intervals import Interval
from scheduling.models import Opening
from scheduling.openings import interval_of, open_by_hand
from tests.factories import AppointmentFactory, ClinicFactory, at, hold_of, next_monday
from tests.factories.waitlist import opening_of
from tests.refusals import commit_checks

pytestmark = pytest.mark.django_db
NINE = at(next_monday(1), "09:00")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def open_(
    provider: Provider, by: Actor, now: datetime, start: datetime = NINE, length: timedelta = HOUR
) -> Opening:
    span = Interval(start, start + length)
    return open_by_hand(provider=provider, clinic=provider.clinic, span=span, by=by, now=now)


def refused(
    error: type[SchedulingError], provider: Provider, by: Actor, now: datetime, **where: datetime
) -> None:
    with pytest.raises(error):
        open_(provider, by, now, **where)  # type: ignore[arg-type]
    assert not Opening.objects.exists()


def test_free_time_is_opened_at_once(provider: Provider, desk: Actor, now: datetime) -> None:
    opening = open_(provider, desk, now)
    commit_checks()
    opening.refresh_from_db()
    assert interval_of(opening.span) == Interval(NINE, NINE + HOUR)
    assert (opening.cause, opening.state, opening.next_at) == ("DESK", "OPEN", now)
    assert (opening.visit_type, opening.not_before) == (None, None)


def test_a_patient_opens_nothing(provider: Provider, now: datetime) -> None:
    with pytest.raises(ValueError, match="only staff"):
        open_(provider, Actor.patient(), now)


def test_time_that_has_passed_is_refused(provider: Provider, desk: Actor) -> None:
    refused(InThePast, provider, desk, NINE + MINUTE)


def test_time_that_is_not_worked_is_refused(provider: Provider, desk: Actor, now: datetime) -> None:
    refused(OutsideHours, provider, desk, now, start=at(next_monday(1), "16:30"))


def test_hours_of_another_clinic_do_not_count(
    provider: Provider, desk: Actor, now: datetime
) -> None:
    span = Interval(NINE, NINE + HOUR)
    with pytest.raises(OutsideHours):
        open_by_hand(provider=provider, clinic=ClinicFactory.create(), span=span, by=desk, now=now)


def test_a_provider_who_takes_no_appointments_is_refused(
    provider: Provider, desk: Actor, now: datetime
) -> None:
    provider.is_active = False
    hours.save_provider(provider)
    refused(ProviderInactive, provider, desk, now)


def test_an_absence_is_refused(provider: Provider, desk: Actor, now: datetime) -> None:
    away = {"start_datetime": NINE + 30 * MINUTE, "end_datetime": NINE + 2 * HOUR}
    hours.save_time_off(TimeOff(provider=provider, reason="SICK", **away))
    refused(ProviderAway, provider, desk, now)


def test_a_closure_is_refused(provider: Provider, desk: Actor, now: datetime) -> None:
    shut = {"start_datetime": NINE, "end_datetime": NINE + HOUR}
    hours.save_closure(ClinicClosure(clinic=provider.clinic, label="Flood", **shut))
    refused(ClinicClosed, provider, desk, now)


def test_booked_time_is_refused(
    provider: Provider, visit_type: VisitType, desk: Actor, now: datetime
) -> None:
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE + 30 * MINUTE)
    refused(SlotTaken, provider, desk, now)


def test_kept_time_is_refused(
    provider: Provider, visit_type: VisitType, desk: Actor, now: datetime
) -> None:
    hold_of(provider, visit_type, NINE)
    with pytest.raises(SlotTaken) as error:
        open_(provider, desk, now)
    assert error.value.held


def test_opening_twice_opens_once_and_looks_again(
    provider: Provider, desk: Actor, now: datetime
) -> None:
    first = open_(provider, desk, now)
    Opening.objects.update(next_at=now + HOUR)
    again = open_(provider, desk, now + MINUTE)
    assert again == first
    again.refresh_from_db()
    assert again.next_at == now + MINUTE


def test_only_what_is_not_open_yet_is_opened(
    provider: Provider, desk: Actor, now: datetime
) -> None:
    opening_of(provider, NINE + 20 * MINUTE, minutes=20)
    made = open_(provider, desk, now)
    assert interval_of(made.span) == Interval(NINE, NINE + 20 * MINUTE)
    spans = [interval_of(row.span) for row in Opening.objects.order_by("span")]
    minutes = [(span.start - NINE, span.end - NINE) for span in spans]
    assert minutes == [(n * MINUTE, (n + 20) * MINUTE) for n in (0, 20, 40)]
