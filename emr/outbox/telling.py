"""Tells a record system where a visit stands: one step after the other, each agreed on when taken.

What was perhaps said before is looked for first. Knows no vendor's rules: those are the driver's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from emr.drivers.base import Driver
from emr.failures import EMRError, NotOffered
from emr.kinds import State, TaskKind, Why
from emr.models import EMRConnection, OutboundMessage, SyncConflict
from emr.outbox import agreements, claims
from emr.outbox.begun import Clock, begin
from emr.outbox.outcomes import (
    BY_HAND,
    Outcome,
    give_up,
    kept,
    leave_to_people,
    not_sent,
)
from emr.outbox.people import wait_for_patient
from emr.outbox.planning import standing_after, steps
from emr.outbox.searching import find_out
from emr.outbox.underway import Telling
from emr.outbox.visits import is_known, read, standing_of, visit_of
from emr.standings import Standing
from emr.visits import Known, Remote, Step, Visit
from scheduling.models import Appointment
from scheduling.transitions import Act, Status

VERBS: Mapping[Step, Callable[[Driver, Visit, Known], Remote]] = {
    Step.RESCHEDULE: lambda driver, visit, known: driver.reschedule(visit, known),
    Step.CONFIRM: lambda driver, visit, known: driver.confirm(visit, known),
    Step.ARRIVE: lambda driver, visit, known: driver.arrive(visit, known),
    Step.REVERT: lambda driver, visit, known: driver.revert(visit, known),
    Step.COMPLETE: lambda driver, visit, known: driver.complete(visit, known),
    Step.CANCEL: lambda driver, visit, known: driver.cancel(visit, known),
    Step.NO_SHOW: lambda driver, visit, known: driver.no_show(visit, known),
}
# Nobody is bothered where the other side has no word for these.
UNSPOKEN = {Step.CONFIRM, Step.ARRIVE}
ENDED_BY: Mapping[str, Status] = {
    Act.CANCEL: Status.CANCELLED,
    Act.COMPLETE: Status.COMPLETED,
    Act.MARK_NO_SHOW: Status.NO_SHOW,
}


def tell(message: OutboundMessage, driver: Driver, clock: Clock) -> Outcome:
    """Bring one message about a visit to an end, or to a later time."""
    made = begin(message, _made, clock=clock)
    if isinstance(made, Outcome):
        return made
    try:
        if made.was_unsure:
            find_out(made, driver, clock=clock)
            made.was_unsure = False
        return _say_all(made, driver, clock=clock)
    except EMRError as error:
        return not_sent(
            message,
            error,
            remote_id=made.remote_id,
            was_unsure=made.was_unsure,
            now=clock(),
        )


def _made(message: OutboundMessage, now: datetime) -> tuple[Telling, int | None] | Outcome:
    """Read the visit as it is, and what is to be said of it; or write down why nothing is."""
    connection = message.connection
    appointment = read(message)
    if appointment.undo_until is not None and appointment.undo_until > now:
        claims.hand_back(message, not_before=appointment.undo_until)
        return Outcome.LATER
    if _is_in_conflict(appointment, connection):
        is_mine = claims.wait(message, why=Why.CONFLICT)
        return kept(Outcome.WAITING, is_mine=is_mine)
    link = agreements.link_of(appointment.pk, connection)
    wanted = _wanted(appointment, connection)
    was_unsure = message.sending_at is not None
    todo = steps(agreements.agreed_in(link, wanted=wanted), wanted)
    if not was_unsure and not todo:
        is_mine = claims.skip(message, why=_why_silent(message, appointment), now=now)
        return kept(Outcome.SKIPPED, is_mine=is_mine)
    visit = visit_of(appointment, connection, marker=message.marker)
    waiting = wait_for_patient(message, visit, now=now)
    if waiting is not None:
        return waiting
    is_placed = link is None or Step.RESCHEDULE in todo
    if is_placed and not is_known(visit.provider, connection):
        return give_up(message, Why.NO_PROVIDER, away_from=State.CLAIMED, now=now)
    made = Telling(message, connection, appointment, visit, wanted, link, was_unsure)
    return made, appointment.version


def _wanted(appointment: Appointment, connection: EMRConnection) -> Standing:
    """Return where a visit is to stand there; one that moved to another clinic, nowhere."""
    standing = standing_of(appointment)
    is_elsewhere = appointment.clinic_id != connection.clinic_id
    return replace(standing, status=Status.CANCELLED) if is_elsewhere else standing


def _is_in_conflict(appointment: Appointment, connection: EMRConnection) -> bool:
    return SyncConflict.objects.filter(
        connection=connection, appointment=appointment, closed_at=None
    ).exists()


def _why_silent(message: OutboundMessage, appointment: Appointment) -> Why:
    """Return why nothing is said: what was done has been undone, or is known there."""
    ended = ENDED_BY.get(message.act)
    return Why.UNDONE if ended and appointment.status != ended else Why.NOTHING_TO_SAY


def _say_all(made: Telling, driver: Driver, *, clock: Clock) -> Outcome:
    """Take all steps that are left; the last is agreed on together with the end of the message."""
    todo = made.steps
    while todo:
        step, *todo = todo
        after = standing_after(step, made.wanted, before=made.agreed)
        try:
            known = _say(made, step, after, driver)
        except NotOffered:
            if step is Step.REVERT and _is_cancelled(made):
                todo = _anew(made, now=clock())
                continue
            if step not in UNSPOKEN:
                kind = BY_HAND.get(step, TaskKind.BY_HAND)
                return leave_to_people(made.message, kind, made.appointment, now=clock())
            known = agreements.known_by(made.link) if made.link else Known("")
        if todo:
            made.agree(known, after, now=clock())
        else:
            return _said(made, known, after, now=clock())
    return _said(made, None, None, now=clock())


def _say(made: Telling, step: Step, after: Standing, driver: Driver) -> Known:
    """Take one step at the other side; return what the visit is there by then."""
    status = Status.CONFIRMED if after.is_confirmed else after.status
    visit = replace(made.visit, status=status, has_arrived=after.has_arrived)
    if made.link is None:
        remote = driver.book(visit)
    else:
        remote = VERBS[step](driver, visit, agreements.known_by(made.link))
    return Known(remote.remote_id, remote.version_id)


@transaction.atomic
def _said(
    made: Telling, known: Known | None, standing: Standing | None, *, now: datetime
) -> Outcome:
    """Write what both sides agree on with the end of the message: both, or neither."""
    if not claims.done(made.message, now=now):
        return Outcome.LOST  # its lease was over, and somebody finds out what became of it
    if known is not None and standing is not None:
        made.agree(known, standing, now=now)
    return Outcome.SENT


def _is_cancelled(made: Telling) -> bool:
    return made.agreed is not None and made.agreed.status is Status.CANCELLED


def _anew(made: Telling, *, now: datetime) -> list[Step]:
    """Forget an appointment that cannot be brought back; return the steps that make another."""
    if made.link is not None:
        agreements.end(made.link, now=now)
        made.link = None
    return made.steps
