"""Lets a visit here stand as it is told to, by the ordinary verbs of booking.

Asks nothing of hours, absences and notice: it stands in the other system already. A time that is
taken puts it beside the others; what else forbids it is raised for somebody to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from emr.agreeing import has_ended
from emr.arriving import arriving
from emr.inbox.outcomes import NotNow
from emr.models import EMRConnection
from emr.outbox.visits import standing_of
from emr.standings import Standing
from patients.models import Patient
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.claiming import Claim
from scheduling.errors import SlotTaken
from scheduling.models import Appointment, BookedVia, CancelReason
from scheduling.placing import Terms
from scheduling.policies import NO_SHOW_GRACE
from scheduling.transitions import Status

SYSTEM = Actor.system("system:emr")
AS_TOLD = Terms(on_grid=False, notice_and_horizon=False, past_allowed=True, as_told=True)
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Applied:
    """The visit as it is now, and whether it stands beside others of its provider's."""

    appointment: Appointment
    is_beside_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A visit that is new here. `settle` is called in the booking's own transaction."""

    patient: Patient
    provider: Provider
    visit_type: VisitType
    start: datetime
    end: datetime
    reason: str = ""


def book(
    wish: Wish, *, claim: Claim, connection: EMRConnection, by: Actor, now: datetime
) -> Applied:
    """Book a visit of theirs. Raises PatientBusy, or SlotTaken where not even a lane is free."""
    with arriving(connection.pk):
        try:
            return Applied(_book(wish, claim, connection, by, now, overbook=False))
        except SlotTaken:
            beside = _book(wish, claim, connection, by, now, overbook=True)
            return Applied(beside, is_beside_others=True)


def bring(
    appointment: Appointment,
    want: Standing,
    *,
    reason: CancelReason,
    connection: EMRConnection,
    by: Actor = SYSTEM,
    now: datetime,
) -> Applied:
    """Bring a visit to where it is to stand: its time first, then the confirmation, the arrival
    and the ending. An end that can be undone is; then the visit is where it was before.

    Raises the refusals of booking, UndoExpired among them, and NotNow for a no-show that may not
    be noted yet.
    """
    with arriving(connection.pk):
        if has_ended(standing_of(appointment)) and not has_ended(want):
            appointment = booking.undo(appointment=appointment, by=by, now=now)
        applied = Applied(appointment)
        if not has_ended(want):
            applied = _place(appointment, want, by=by, now=now)
        after = _proceed(applied.appointment, want, reason=reason, by=by, now=now)
        return Applied(after, applied.is_beside_others)


def nothing(_appointment: Appointment) -> None:
    """Settle nothing with a booking."""


def _book(
    wish: Wish,
    claim: Claim,
    connection: EMRConnection,
    by: Actor,
    now: datetime,
    *,
    overbook: bool,
) -> Appointment:
    return booking.book(
        patient=wish.patient,
        provider=wish.provider,
        clinic=connection.clinic,
        visit_type=wish.visit_type,
        start=wish.start,
        end=wish.end,
        reason=wish.reason,
        via=BookedVia.EMR,
        overbook=overbook,
        claim=claim,
        by=by,
        now=now,
    )


def _place(appointment: Appointment, want: Standing, *, by: Actor, now: datetime) -> Applied:
    ours = standing_of(appointment)
    if (ours.start, ours.end, ours.provider) == (want.start, want.end, want.provider):
        return Applied(appointment)
    claim = Claim(hold=None, settle=nothing, terms=AS_TOLD)
    provider = appointment.provider
    if want.provider != ours.provider:
        provider = Provider.objects.get(pk=UUID(want.provider))
    for overbook in (False, True):
        try:
            moved = booking.reschedule(
                appointment=appointment,
                start=want.start,
                end=want.end,
                provider=provider,
                overbook=overbook,
                claim=claim,
                by=by,
                now=now,
            )
            return Applied(moved, is_beside_others=overbook)
        except SlotTaken:
            if overbook:
                raise
    raise SlotTaken


def _proceed(
    appointment: Appointment, want: Standing, *, reason: CancelReason, by: Actor, now: datetime
) -> Appointment:
    """Confirm, check in and end a visit as far as it is to be. An ending that was reached stays."""
    ours = standing_of(appointment)
    if has_ended(ours) and ours.status is want.status:
        return appointment
    if want.is_confirmed and not ours.is_confirmed and not has_ended(want):
        appointment = booking.confirm(appointment=appointment, by=by, now=now)
    came = want.has_arrived and want.status in {Status.SCHEDULED, Status.COMPLETED}
    if came and not ours.has_arrived:
        appointment = booking.check_in(appointment=appointment, by=by, now=now)
    if want.status is Status.CANCELLED:
        return booking.cancel(appointment=appointment, reason=reason.value, by=by, now=now)
    if want.status is Status.NO_SHOW:
        return _no_show(appointment, by=by, now=now)
    if want.status is Status.COMPLETED:
        return _complete(appointment, by=by, now=now)
    return appointment


def _complete(appointment: Appointment, *, by: Actor, now: datetime) -> Appointment:
    """Complete a visit; one that took place before its time has begun with the arrival."""
    if now < appointment.scheduled_start and appointment.arrived_at is None:
        appointment = booking.check_in(appointment=appointment, by=by, now=now)
    return booking.complete(appointment=appointment, by=by, now=now)


def _no_show(appointment: Appointment, *, by: Actor, now: datetime) -> Appointment:
    """Note that nobody came. Who says so a little early is believed a little later."""
    wait = appointment.scheduled_start + NO_SHOW_GRACE - now
    if timedelta() < wait <= LONGEST_WAIT:
        raise NotNow("too-early", after=wait)
    return booking.mark_no_show(appointment=appointment, by=by, now=now)
