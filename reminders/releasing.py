"""Frees the time of visits that nobody confirmed, and puts those on the call list of which it is
not certain that the patient was reached. What silence means is decided in `silence`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reminders import calls
from reminders.kinds import CallReason
from reminders.silence import Answer, Verdict, judge
from reminders.unconfirmed import (
    quiet_of,
    time_of_release,
    unconfirmed,
    what_is_known,
    zone_of,
)
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, CancelReason
from scheduling.quiet import is_quiet

logger = logging.getLogger(__name__)

SYSTEM = Actor.system("reminders")
# So shortly before a visit its patient is on the way, or nobody could come instead.
NO_RELEASE = timedelta(hours=2)


@dataclass(slots=True)
class Counts:
    """What one run did: times freed, visits put on the call list, and visits that somebody
    confirmed, moved or cancelled at the same moment."""

    released: int = 0
    called: int = 0
    changed: int = 0


def release_unconfirmed(now: datetime) -> Counts:
    """Free what may be freed and open the calls that are needed; `now` is aware.

    Each release is a transaction of its own: of a confirmation and a release at one moment exactly
    one happens. Running it twice does nothing twice.
    """
    counts = Counts()
    calls.settle_over(now=now)
    for visits in unconfirmed(now=now):
        for visit, verdict in verdicts(visits, now=now):
            if verdict is Answer.RELEASE:
                _release(visit, counts, now=now)
            elif isinstance(verdict, CallReason):
                _call(visit, verdict, counts, now=now)
    return counts


def verdicts(
    visits: Sequence[Appointment], *, now: datetime
) -> Iterator[tuple[Appointment, Verdict]]:
    """Yield what each unconfirmed visit needs now; those whose time has not come are left out.

    Costs the same number of statements for one visit as for hundreds.
    """
    for visit, silence in what_is_known([visit for visit in visits if _is_time(visit, now)]):
        verdict = judge(silence, now=now)
        yield visit, _in_time(visit, now) if verdict is Answer.RELEASE else verdict


def _is_time(visit: Appointment, now: datetime) -> bool:
    at = time_of_release(visit)
    return at is not None and at <= now


def _in_time(visit: Appointment, now: datetime) -> Verdict:
    """Return what becomes of a release now: the patient is told at once, and not at night."""
    if now >= visit.scheduled_start - NO_RELEASE:
        return CallReason.UNCONFIRMED
    quiet = is_quiet(now, zone=zone_of(visit), quiet=quiet_of(visit))
    return Answer.WAIT if quiet else Answer.RELEASE


def _release(visit: Appointment, counts: Counts, *, now: datetime) -> None:
    try:
        booking.cancel(appointment=visit, reason=CancelReason.UNCONFIRMED.value, by=SYSTEM, now=now)
    except SchedulingError as refusal:
        # Confirmed, moved or cancelled since it was read; whatever it is now, the next run sees.
        logger.info("release refused", extra={"visit": str(visit.pk), "code": refusal.code})
        counts.changed += 1
    else:
        counts.released += 1


def _call(visit: Appointment, reason: CallReason, counts: Counts, *, now: datetime) -> None:
    if calls.open_call(appointment=visit, reason=reason, now=now) is not None:
        counts.called += 1
