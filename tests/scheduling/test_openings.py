"""Freed time is written down in the transaction that frees it, and closed when it is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ
from psycopg.types.range import Range

from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.changes import Before, Change
from scheduling.errors import SlotTaken
from scheduling.models import Appointment, CancelReason, Opening, OverrideReason, SlotHold
from scheduling.openings import nudge, on_appointment_change
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)
from tests.factories.waitlist import opening_of

pytestmark = pytest.mark.django_db
NINE = at(next_monday(1), "09:00")
OFFER = "scheduling.tasks.offer"
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


def queued() -> list[str]:
    return [row.func() for row in OrmQ.objects.all()]


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
    assert opening.visit_type == visit.appointment_type
    assert opening.next_at == now


def test_a_staff_cancellation_opens_when_it_can_no_longer_be_undone(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    cancelled = cancel(visit, desk, now)
    opening = Opening.objects.get()
    assert opening.not_before == opening.next_at == cancelled.undo_until
    booking.send_now(appointment=cancelled, by=desk, now=now + MINUTE)
    opening.refresh_from_db()
    assert (opening.not_before, opening.next_at) == (None, now + MINUTE)


def test_an_undone_cancellation_closes_its_opening_and_the_next_one_opens_another(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    back = booking.undo(appointment=cancel(visit, desk, now), by=desk, now=now)
    closed = Opening.objects.get()
    assert (closed.state, closed.ended, closed.ended_at) == ("CLOSED", "RETURNED", now)
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
    assert (opening.state, opening.ended) == ("CLOSED", "RETURNED")


def test_a_restored_visit_closes_what_is_left_of_an_opening_that_was_narrowed(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    reason = CancelReason.UNCONFIRMED.value
    released = cancel(visit, Actor.system("reminders"), now, reason=reason)
    Opening.objects.update(span=Range(NINE, NINE + 20 * MINUTE))
    opening_of(visit.provider, NINE + 20 * MINUTE, minutes=25, cause=Opening.Cause.REST)
    later = opening_of(visit.provider, NINE + 30 * MINUTE, minutes=30)
    booking.restore(appointment=released, by=desk, now=now)
    assert list(Opening.objects.filter(state="OPEN")) == [later]


def test_a_visit_is_not_restored_while_its_time_is_offered_to_another(
    visit: Appointment, visit_type: VisitType, desk: Actor, now: datetime
) -> None:
    reason = CancelReason.UNCONFIRMED.value
    released = cancel(visit, Actor.system("reminders"), now, reason=reason)
    opening = Opening.objects.get()
    hold_of(
        visit.provider,
        visit_type,
        NINE,
        holder=f"opening:{opening.pk}",
        purpose=SlotHold.Purpose.OFFER,
    )
    with pytest.raises(SlotTaken) as refused:
        booking.restore(appointment=released, by=desk, now=now)
    assert refused.value.held
    opening.refresh_from_db()
    assert opening.state == "OPEN"


def test_an_undone_overbooked_visit_closes_nobodys_opening(
    visit: Appointment, long_type: VisitType, desk: Actor, now: datetime
) -> None:
    beside = AppointmentFactory.create(
        provider=visit.provider,
        visit_type=long_type,
        start=NINE,
        overbook=True,
        override=OverrideReason.URGENT.value,
    )
    cancel(visit, Actor.patient(), now)
    booking.undo(appointment=cancel(beside, desk, now), by=desk, now=now)
    assert Opening.objects.get().state == "OPEN"


def test_a_move_opens_what_it_left_and_not_what_it_still_takes(
    visit: Appointment, desk: Actor, now: datetime
) -> None:
    booking.reschedule(appointment=visit, start=NINE + 30 * MINUTE, by=desk, now=now)
    assert spans() == [(NINE, NINE + 30 * MINUTE)]
    assert Opening.objects.get().cause == "MOVE"


def test_what_a_move_leaves_has_the_type_of_the_visit_before(
    visit: Appointment, visit_type: VisitType, long_type: VisitType, desk: Actor, now: datetime
) -> None:
    booking.reschedule(
        appointment=visit, start=NINE + HOUR, visit_type=visit_type, by=desk, now=now
    )
    assert Opening.objects.get().visit_type == long_type


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


def test_the_engine_is_called_once_when_time_is_free_at_once(
    visit: Appointment,
    visit_type: VisitType,
    now: datetime,
    jobs_wait: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    other = AppointmentFactory.create(
        provider=visit.provider, visit_type=visit_type, start=NINE + HOUR
    )
    with django_capture_on_commit_callbacks(execute=True):
        for one in (visit, other):
            change = Change("CANCEL", one, Before.of(one), Actor.patient(), now)
            on_appointment_change([change])
        nudge()
    assert queued() == [OFFER]


def test_the_engine_is_not_called_for_time_that_may_come_back(
    visit: Appointment,
    desk: Actor,
    now: datetime,
    jobs_wait: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        cancelled = cancel(visit, desk, now)
    assert OFFER not in queued()
    with django_capture_on_commit_callbacks(execute=True):
        booking.send_now(appointment=cancelled, by=desk, now=now)
    assert queued().count(OFFER) == 1


def test_an_act_that_was_taken_back_calls_nobody(
    now: datetime, jobs_wait: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        with pytest.raises(LookupError), transaction.atomic():
            nudge()
            raise LookupError
        assert not connection.run_on_commit
        nudge()
    assert queued() == [OFFER]
