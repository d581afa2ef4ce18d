"""Freed time is written down in the transaction that frees it, and closed when it is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.types.range import Range

from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.changes import Before, Change
from scheduling.models import Appointment, CancelReason, Opening, OverrideReason
from scheduling.openings import on_appointment_change
from tests.factories import AppointmentFactory, ProviderFactory, VisitTypeFactory, at, next_monday

pytestmark = pytest.mark.django_db
NINE = at(next_monday(1), "09:00")
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def long_type() -> VisitType:
    """Half an hour, and a quarter for the provider afterwards."""
    return VisitTypeFactory.create(code="NEW_PATIENT", buffer_after_minutes=15)


@pytest.fixture
def visit(provider: Provider, long_type: VisitType) -> Appointment:
    return AppointmentFactory.create(provider=provider, visit_type=long_type, start=NINE)


def cancel(visit: Appointment, by: Actor, now: datetime, **more: Any) -> Appointment:
    reason = more.pop("reason", CancelReason.PATIENT_REQUEST.value)
    return booking.cancel(appointment=visit, reason=reason, by=by, now=now, **more)


def spans() -> list[tuple[datetime, datetime]]:
    found = Opening.objects.filter(state=Opening.State.OPEN).order_by("span")
    return [(row.span.lower, row.span.upper) for row in found]


def test_a_patients_cancellation_opens_the_busy_time_at_once(
    visit: Appointment, now: datetime
) -> None:
    cancel(visit, Actor.patient(), now)
    opening = Opening.objects.get()
    assert opening.span == Range(NINE, NINE + 45 * MINUTE)
    assert (opening.provider_id, opening.clinic_id) == (visit.provider_id, visit.clinic_id)
    assert (opening.cause, opening.not_before, opening.state) == ("CANCEL", None, "OPEN")


def test_a_staff_cancellation_opens_when_it_can_no_longer_be_undone(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    cancelled = cancel(visit, desk, now)
    assert Opening.objects.get().not_before == cancelled.undo_until
    booking.send_now(appointment=cancelled, by=desk, now=now)
    assert Opening.objects.get().not_before is None


def test_an_undone_cancellation_closes_its_opening_and_the_next_one_opens_another(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    back = booking.undo(appointment=cancel(visit, desk, now), by=desk, now=now)
    assert [row.state for row in Opening.objects.all()] == ["CLOSED"]
    cancel(back, desk, now)
    assert sorted(row.state for row in Opening.objects.all()) == ["CLOSED", "OPEN"]


def test_a_release_says_that_it_is_one_and_a_restored_visit_closes_it(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    reason = CancelReason.UNCONFIRMED.value
    released = cancel(visit, Actor.system("reminders"), now, reason=reason)
    opening = Opening.objects.get()
    assert (opening.cause, opening.not_before) == ("RELEASE", None)
    booking.restore(appointment=released, by=desk, now=now)
    opening.refresh_from_db()
    assert opening.state == "CLOSED"


def test_a_move_opens_what_it_left_and_not_what_it_still_takes(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    booking.reschedule(appointment=visit, start=NINE + 30 * MINUTE, by=desk, now=now)
    assert spans() == [(NINE, NINE + 30 * MINUTE)]
    assert Opening.objects.get().cause == "MOVE"


def test_a_move_to_another_provider_opens_all_of_the_first_ones_time(
    visit: Appointment, provider: Provider, desk: Actor, now: datetime
) -> None:
    other = ProviderFactory.create(clinic=provider.clinic, working=True)
    booking.reschedule(appointment=visit, start=NINE, provider=other, by=desk, now=now)
    assert spans() == [(NINE, NINE + 45 * MINUTE)]
    assert Opening.objects.get().provider == provider


def test_a_move_to_a_shorter_type_at_the_same_start_opens_the_rest(
    visit: Appointment, visit_type: VisitType, desk: Actor, now: datetime
) -> None:
    booking.reschedule(appointment=visit, start=NINE, visit_type=visit_type, by=desk, now=now)
    assert spans() == [(NINE + 30 * MINUTE, NINE + 45 * MINUTE)]


def test_an_overbooked_visit_frees_nothing(
    visit: Appointment, long_type: VisitType, desk: Actor, now: datetime
) -> None:
    beside = AppointmentFactory.create(
        provider=visit.provider,
        visit_type=long_type,
        start=NINE,
        overbook=True,
        override=OverrideReason.URGENT.value,
    )
    cancel(beside, desk, now)
    assert not Opening.objects.exists()


def test_time_that_has_begun_is_no_opening(visit: Appointment, desk: Actor) -> None:
    cancel(visit, desk, NINE + MINUTE)
    assert not Opening.objects.exists()


def test_booking_confirming_and_checking_in_open_nothing(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    confirmed = booking.confirm(appointment=visit, by=desk, now=now)
    booking.check_in(appointment=confirmed, by=desk, now=now)
    assert not Opening.objects.exists()


def test_an_act_that_fails_later_leaves_no_opening(
    visit: Appointment, desk: Actor, now: datetime, settings: Any
) -> None:
    settings.BOOKING_HANDLERS = [*settings.BOOKING_HANDLERS, "tests.scheduling.handlers.fail"]
    with pytest.raises(LookupError):
        cancel(visit, desk, now)
    assert not Opening.objects.exists()


def test_many_cancellations_cost_one_statement(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    from_booking = [
        AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE + n * HOUR)
        for n in range(3)
    ]
    changes = [Change("CANCEL", v, Before.of(v), Actor.patient(), now) for v in from_booking]
    with CaptureQueriesContext(connection) as asked:
        on_appointment_change(changes)
    assert len([row for row in asked if "INSERT" in row["sql"]]) == 1
    assert Opening.objects.count() == 3
