"""What an answer of the other side means for a message: later, never, for a person, or nobody
knows. Decides when it is tried again. Sends nothing.
"""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from enum import Enum, auto

from django.db import transaction

from emr import arrivals
from emr.failures import (
    Clash,
    EMRError,
    NoSlot,
    NotFound,
    TryLater,
    Unauthorized,
    Unsure,
)
from emr.fhir.checking import Invalid
from emr.kinds import Source, State, TaskKind, Why
from emr.models import EMRConnection, EMRTask, OutboundMessage
from emr.outbox import claims
from emr.visits import Step, Told
from patients.models.audit import Act
from patients.models.audit import Outcome as Result
from patients.privacy import audit
from scheduling.models import Appointment

logger = logging.getLogger(__name__)

SYSTEM, PURPOSE = "system:emr", "emr"
MOST_ATTEMPTS, A_DAY = 12, timedelta(days=1)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
LEAST_WAIT = timedelta(seconds=1)
# When what was perhaps taken is looked for first: a search there may lag behind.
FIRST_LOOK = timedelta(seconds=30)
AFTER_CLASH = timedelta(seconds=30)
# Codes by which drivers say what was missing before anything was sent.
MISSING = {
    "no-provider": Why.NO_PROVIDER,
    "no-author": Why.NO_PROVIDER,
    "no-patient": Why.NO_PATIENT,
    "no-code": Why.NO_CODE,
    "no-service-type": Why.NO_CODE,
}
PACE = ("pace",)
BY_HAND = {
    Step.NO_SHOW: TaskKind.NO_SHOW,
    Step.COMPLETE: TaskKind.COMPLETE,
}


class Outcome(Enum):
    """What became of a message that was claimed."""

    SENT = auto()
    LATER = auto()
    UNKNOWN = auto()
    WAITING = auto()
    SKIPPED = auto()
    DEAD = auto()
    LOST = auto()


def kept(outcome: Outcome, *, is_mine: bool) -> Outcome:
    """Return the outcome, where the claim was still ours to write it down."""
    return outcome if is_mine else Outcome.LOST


def not_sent(
    message: OutboundMessage,
    error: EMRError,
    *,
    remote_id: str = "",
    was_unsure: bool = False,
    away_from: State = State.SENDING,
    now: datetime,
) -> Outcome:
    """Write down what an error says of a message, and do what follows.

    `remote_id` is the appointment that was asked about; `was_unsure` where it is not known yet
    what became of an earlier try. NotOffered is not for here: see `leave_to_people`.
    """
    details = {"row": str(message.pk), "task": type(error).__name__}
    logger.warning("emr message not taken", extra=details)
    if isinstance(error, Unsure):
        return _look_later(message, error, away_from=away_from, now=now)
    if isinstance(error, Clash):
        return _clashed(message, error, remote_id, now=now)
    if isinstance(error, TryLater | Unauthorized):
        return _later(message, error, was_unsure=was_unsure, away_from=away_from, now=now)
    if isinstance(error, NotFound) and remote_id:
        _ask_again(message, remote_id)
    return give_up(message, _why(error), error.codes, away_from=away_from, now=now)


@transaction.atomic
def give_up(
    message: OutboundMessage,
    why: Why,
    codes: tuple[str, ...] = (),
    *,
    away_from: State = State.SENDING,
    now: datetime,
) -> Outcome:
    """Write, in the queue and in the record, that it will not arrive by itself."""
    if not claims.dead(message, why=why, codes=codes, now=now, away_from=away_from):
        return Outcome.LOST
    audit.record(
        action=Act.SEND,
        outcome=Result.FAILED,
        patients=[message.patient_id],
        about=message,
        purpose=PURPOSE,
        clinic=message.connection.clinic_id,
        system=SYSTEM,
    )
    return Outcome.DEAD


@transaction.atomic
def leave_to_people(
    message: OutboundMessage, kind: TaskKind, appointment: Appointment, *, now: datetime
) -> Outcome:
    """Have somebody enter there what the other side has no way of being told."""
    open_task(message.connection, kind, appointment)
    is_mine = claims.skip(message, why=Why.NOT_OFFERED, now=now, away_from=State.SENDING)
    return kept(Outcome.SKIPPED, is_mine=is_mine)


def open_task(connection: EMRConnection, kind: TaskKind, appointment: Appointment) -> None:
    """Open a task of the desk about a visit, unless one of its kind is open."""
    task = EMRTask(
        connection=connection,
        clinic_id=connection.clinic_id,
        kind=kind.value,
        patient_id=appointment.patient_id,
        appointment=appointment,
    )
    EMRTask.objects.bulk_create([task], ignore_conflicts=True)


def wait_before(attempt: int, *, after: timedelta | None = None) -> timedelta:
    """Return how long to wait after the nth attempt: any time up to a limit that doubles, so that
    many messages do not come back at once, and never less than the other side asked for."""
    most: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 12))
    return max(LEAST_WAIT, most * random.random(), after or LEAST_WAIT)  # noqa: S311


def _look_later(
    message: OutboundMessage, error: EMRError, *, away_from: State, now: datetime
) -> Outcome:
    if _is_too_often(message, now=now):
        return give_up(message, Why.TOO_OFTEN, error.codes, away_from=away_from, now=now)
    look_at = now + max(FIRST_LOOK, wait_before(message.attempts))
    is_mine = claims.unsure(message, codes=error.codes, look_at=look_at, away_from=away_from)
    return kept(Outcome.UNKNOWN, is_mine=is_mine)


def _later(
    message: OutboundMessage,
    error: TryLater | Unauthorized,
    *,
    was_unsure: bool,
    away_from: State,
    now: datetime,
) -> Outcome:
    """Try again later. Wrong credentials are never held against a message, nor is the pace."""
    is_locked_out = isinstance(error, Unauthorized)
    after = error.after if isinstance(error, TryLater) else None
    if not is_locked_out and error.codes != PACE and _is_too_often(message, now=now):
        return give_up(message, Why.TOO_OFTEN, error.codes, away_from=away_from, now=now)
    wait = wait_before(message.attempts, after=after)
    if error.codes == PACE and after is not None:
        wait = after
    if was_unsure:
        is_mine = claims.unsure(message, codes=error.codes, look_at=now + wait, away_from=away_from)
        return kept(Outcome.UNKNOWN, is_mine=is_mine)
    why = Why.UNAUTHORIZED if is_locked_out else Why.NONE
    is_mine = claims.retry(
        message, why=why, codes=error.codes, not_before=now + wait, away_from=away_from
    )
    return kept(Outcome.LATER, is_mine=is_mine)


def _clashed(
    message: OutboundMessage, error: EMRError, remote_id: str, *, now: datetime
) -> Outcome:
    """Have it read again what the other side changed, and try once that is settled."""
    if _is_too_often(message, now=now):
        return give_up(message, Why.TOO_OFTEN, error.codes, now=now)
    if remote_id:
        _ask_again(message, remote_id)
    is_mine = claims.retry(
        message, why=Why.CONFLICT, codes=error.codes, not_before=now + AFTER_CLASH
    )
    return kept(Outcome.LATER, is_mine=is_mine)


def _ask_again(message: OutboundMessage, remote_id: str) -> None:
    arrivals.receive(
        message.connection,
        Told("Appointment", remote_id),
        source=Source.RECONCILE,
        key=f"clash:{message.pk}:{message.attempts}",
    )


def _is_too_often(message: OutboundMessage, *, now: datetime) -> bool:
    return message.attempts >= MOST_ATTEMPTS and now - message.created_at >= A_DAY


def _why(error: EMRError) -> Why:
    missing = next((MISSING[code] for code in error.codes if code in MISSING), None)
    if missing is not None:
        return missing
    if isinstance(error, NoSlot):
        return Why.NO_SLOT
    return Why.INVALID if isinstance(error, Invalid) else Why.REFUSED
