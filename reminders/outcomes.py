"""What a vendor's answer means for a delivery: sent, later, never, or nobody knows.

Decides when a message is tried again, and when a vendor is left alone for a while. Sends nothing.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from threading import Lock
from time import monotonic

from django.db import transaction

from patients import codes
from patients.models.audit import Act
from patients.models.audit import Outcome as Result
from patients.privacy import audit
from reminders import claims, devices, suppressions
from reminders.channels.base import (
    ChannelError,
    Gone,
    Receipt,
    TryLater,
    Unsure,
    Unwanted,
)
from reminders.judging import Row
from reminders.kinds import Channel, State, Why
from reminders.models import Delivery, Notice, Suppression
from reminders.offers import note_sent
from reminders.otherwise import after_failure
from reminders.reach import CONTACTS, Route, way_to

logger = logging.getLogger(__name__)

SYSTEM = "system:reminders"
MOST_ATTEMPTS = 6
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
LEAST_WAIT = timedelta(seconds=1)
# When a message of which nobody knows is looked for first: a vendor's list may lag behind.
FIRST_LOOK = timedelta(minutes=2)
# How long a vendor is left alone that does not take one message after the other, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0


class Outcome(Enum):
    """What became of a delivery that was claimed."""

    SENT = auto()
    LATER = auto()
    FAILED = auto()
    UNKNOWN = auto()
    SKIPPED = auto()
    LOST = auto()


class Pauses:
    """Which channels' vendors are left alone by this process, and for how long yet.

    One message that is turned away for its vendor's sake slows all others of that vendor.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until: dict[Channel, float] = {}
        self._in_a_row: dict[Channel, int] = {}

    def left(self, channel: Channel) -> float:
        """Return for how many seconds yet nothing should go by a channel."""
        return max(0.0, self._until.get(channel, 0.0) - self._clock())

    def turned_away(self, channel: Channel, after: timedelta | None) -> None:
        """Leave a vendor alone for as long as it says, else a little longer each time."""
        with self._lock:
            times = self._in_a_row[channel] = self._in_a_row.get(channel, 0) + 1
            wait = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(times - 1, 10))
            if after is not None:
                wait = after.total_seconds()
            self._until[channel] = max(self._until.get(channel, 0.0), self._clock() + wait)

    def answered(self, channel: Channel) -> None:
        """Begin with short pauses again: the vendor takes messages."""
        if self._in_a_row.get(channel):
            with self._lock:
                self._in_a_row[channel] = 0


def taken(
    delivery: Delivery, receipt: Receipt, rows: Sequence[Row], *, pauses: Pauses, now: datetime
) -> Outcome:
    """Write that the vendor took it."""
    pauses.answered(Channel(delivery.channel))
    if not claims.sent(delivery, receipt, now=now):
        return Outcome.LOST  # its lease was over, and somebody has found out what became of it
    note_sent(rows, at=now)
    forget_codes(rows)
    return Outcome.SENT


def not_sent(
    delivery: Delivery,
    error: ChannelError,
    route: Route,
    rows: Sequence[Row],
    *,
    pauses: Pauses,
    now: datetime,
) -> Outcome:
    """Write what a vendor's error says of the message, and do what follows."""
    details = {"delivery": str(delivery.pk), "code": error.code, "kind": type(error).__name__}
    logger.warning("message not sent", extra=details)
    if isinstance(error, Unsure):
        done = claims.unsure(delivery, code=error.code, look_at=now + FIRST_LOOK)
        return Outcome.UNKNOWN if done else Outcome.LOST
    if isinstance(error, TryLater):
        pauses.turned_away(Channel(delivery.channel), error.after)
        return _later(delivery, error, rows, now=now)
    pauses.answered(Channel(delivery.channel))
    if isinstance(error, Gone) and route.device is not None:
        devices.end(device=route.device, now=now)
        if _has_another_device(rows):
            again = claims.retried(delivery, code=error.code, not_before=now)
            return Outcome.LATER if again else Outcome.LOST
    if isinstance(error, Unwanted):
        _suppress(route, now=now)
    return fail(delivery, Why.REFUSED, rows, code=error.code, now=now)


def stumbled(
    delivery: Delivery, error: Exception, rows: Sequence[Row], *, now: datetime
) -> Outcome:
    """Put a message off that could not be made ready, and give it up after so many times.

    What was begun stays as it is: nobody knows of it, and it is looked for.
    """
    code = type(error).__name__
    if delivery.attempts + 1 >= MOST_ATTEMPTS:
        return fail(delivery, Why.GAVE_UP, rows, code=code, away_from=State.CLAIMED, now=now)
    later = now + wait_before(delivery.attempts + 1)
    done = claims.stumbled(delivery, code=code, not_before=later)
    return Outcome.LATER if done else Outcome.LOST


@transaction.atomic
def fail(
    delivery: Delivery,
    why: Why,
    rows: Sequence[Row],
    *,
    code: str,
    away_from: State = State.SENDING,
    now: datetime,
) -> Outcome:
    """Write that it will not arrive, in the ledger and in the record, and look for another way."""
    if not claims.failed(delivery, why=why, code=code, away_from=away_from):
        return Outcome.LOST
    audit.record(
        action=Act.SEND,
        outcome=Result.FAILED,
        patients=[delivery.patient_id] if delivery.patient_id is not None else [],
        about=delivery,
        purpose="message",
        clinic=delivery.clinic_id,
        system=SYSTEM,
    )
    after_failure(rows, now=now)
    forget_codes(rows)
    return Outcome.FAILED


def forget_codes(rows: Sequence[Row]) -> None:
    """Forget the contacts of one-time codes that are done with, one way or the other."""
    for row in rows:
        if isinstance(row, Notice) and row.code is not None:
            codes.sent(row.code)


def wait_before(attempt: int, *, after: timedelta | None = None) -> timedelta:
    """Return how long to wait after the nth attempt: any time up to a limit that doubles, so that
    many messages do not come back at once, and never less than the vendor asked for."""
    most: timedelta = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempt - 1, 10))
    return max(LEAST_WAIT, most * random.random(), after or LEAST_WAIT)  # noqa: S311


def _later(delivery: Delivery, error: TryLater, rows: Sequence[Row], *, now: datetime) -> Outcome:
    not_before = now + wait_before(delivery.attempts, after=error.after)
    if delivery.attempts >= MOST_ATTEMPTS or not_before > delivery.not_after:
        return fail(delivery, Why.GAVE_UP, rows, code=error.code, now=now)
    done = claims.retried(delivery, code=error.code, not_before=not_before)
    return Outcome.LATER if done else Outcome.LOST


def _has_another_device(rows: Sequence[Row]) -> bool:
    visit = rows[0].appointment
    if visit is None:
        return False
    return isinstance(way_to(visit.patient, Channel.PUSH, kind=rows[0].kind), Route)


def _suppress(route: Route, *, now: datetime) -> None:
    """Send nothing there from now on: the carrier says that the number's owner said stop."""
    if route.channel in CONTACTS:
        with audit.keeping_record(system=SYSTEM, purpose="message"):
            cause = Suppression.Cause.CARRIER
            suppressions.suppress(channel=route.channel, recipient=route.to, cause=cause, now=now)
