"""When a visit is spoken of: the instants of its cadence, kept out of the patient's quiet hours.

Refuses to know what is sent, to whom, and whether it still should be.

Steps of whole days go back on the wall clock, so that a visit at nine is spoken of at nine however
the clocks were changed in between; other steps are elapsed time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from reminders.kinds import Channel, Kind
from scheduling.quiet import Quiet, is_quiet, quiet_ends, shown

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Nothing is planned so soon after the booking, whose own notice has just said it all.
AFTER_BOOKING = HOUR
# A message that waited for the morning comes at least so long before the visit ...
BEFORE_VISIT = HOUR
# ... or else so long before the evening's quiet begins; less where the day is as short as that.
BEFORE_QUIET = tuple(timedelta(minutes=minutes) for minutes in (30, 15, 5, 1))
# Where silence frees no time, a visit is asked about until so long before it.
ASK_UNTIL = DAY
# Between two messages of one cadence, when the first is late.
APART = HOUR
REMIND_UNTIL = 2 * HOUR
JOIN_UNTIL = timedelta(minutes=10)

# Which ways are tried next when the patient cannot be reached by the planned one. A reminder has
# none: it is planned by text and by e-mail, and one of the two is enough.
FALLBACK: Mapping[Kind, tuple[Channel, ...]] = {
    Kind.REQUEST: (Channel.SMS,),
    Kind.FOLLOW_UP: (Channel.EMAIL,),
    Kind.REMINDER: (),
    Kind.JOIN: (Channel.SMS, Channel.EMAIL),
}
NOTICE_FALLBACK: tuple[Channel, ...] = (Channel.SMS,)
# A browser has one of these beside it from the start.
OFFER_FALLBACK: Mapping[Channel, tuple[Channel, ...]] = {
    Channel.SMS: (Channel.EMAIL,),
    Channel.EMAIL: (Channel.SMS,),
    Channel.PUSH: (),
}


NIGHT = Quiet(time(21), time(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How long before a visit each step is; None switches a step off."""

    request: timedelta | None = timedelta(hours=72)
    follow_up: timedelta | None = timedelta(hours=48)
    reminder: timedelta | None = timedelta(hours=24)
    join: timedelta | None = timedelta(hours=2)
    release: timedelta | None = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Due:
    """One message to be: `due_at` is the earliest, `not_after` the latest instant for it."""

    kind: Kind
    channel: Channel
    due_at: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """A step before quiet hours are looked at. `latest` is the last instant it may wait for."""

    kind: Kind
    channels: tuple[Channel, ...]
    at: datetime
    not_after: datetime


def plan(
    *,
    start: datetime,
    booked_at: datetime,
    is_video: bool,
    asks: bool,
    cadence: Cadence,
    zone: ZoneInfo,
    quiet: Quiet,
) -> list[Due]:
    """Return what is to be sent of a visit, in order; all instants are aware and in UTC.

    `asks` says whether this type of visit wants to be confirmed. A late booking gets only what is
    due an hour after `booked_at` or later. Nothing is due in quiet hours or after its own end.
    """
    earliest = booked_at + AFTER_BOOKING
    planned = []
    for step in _steps(start, cadence, zone=zone, is_video=is_video, asks=asks):
        latest = min(step.not_after, start - BEFORE_VISIT)
        at = _out_of_quiet(step.at, latest=latest, zone=zone, quiet=quiet)
        if earliest <= at <= step.not_after:
            planned += [Due(step.kind, way, at, step.not_after) for way in step.channels]
    return sorted(planned, key=lambda due: due.due_at)


def _steps(
    start: datetime, cadence: Cadence, *, zone: ZoneInfo, is_video: bool, asks: bool
) -> Iterator[Step]:
    if asks:
        yield from _questions(start, cadence, zone)
    if cadence.reminder:
        at = before(start, cadence.reminder, zone)
        until = start - min(REMIND_UNTIL, cadence.reminder / 2)
        yield Step(Kind.REMINDER, (Channel.SMS, Channel.EMAIL), at, until)
    if is_video and cadence.join:
        at = before(start, cadence.join, zone)
        yield Step(Kind.JOIN, (Channel.PUSH,), at, start + JOIN_UNTIL)


def _questions(start: datetime, cadence: Cadence, zone: ZoneInfo) -> Iterator[Step]:
    """Yield the requests for a confirmation, each over an hour before what comes after it."""
    wanted = [
        (Kind.REQUEST, Channel.EMAIL, cadence.request),
        (Kind.FOLLOW_UP, Channel.SMS, cadence.follow_up),
    ]
    asked = [(kind, way, before(start, step, zone)) for kind, way, step in wanted if step]
    end = before(start, cadence.release or ASK_UNTIL, zone)
    ends = [*(at for _kind, _way, at in asked[1:]), end]
    for (kind, way, at), until in zip(asked, ends, strict=False):
        # A clinic that frees no time may ask later than a day before the visit.
        yield Step(kind, (way,), at, max(until - APART, at) if until > at else start - APART)


def before(start: datetime, step: timedelta, zone: ZoneInfo) -> datetime:
    """Return the instant a step before `start`: the same time of day where it is whole days."""
    if step % DAY:
        return start.astimezone(UTC) - step
    wall = start.astimezone(zone).replace(tzinfo=None, fold=0) - step
    return wall.replace(tzinfo=zone).astimezone(UTC)


def release_at(
    *, start: datetime, cadence: Cadence, zone: ZoneInfo, quiet: Quiet
) -> datetime | None:
    """Return when silence frees the visit's time, by day as well: its patient is told at once."""
    if cadence.release is None:
        return None
    return spoken_at(before(start, cadence.release, zone), start=start, zone=zone, quiet=quiet)


def spoken_at(due: datetime, *, start: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """Return when to send what is due at `due` about a visit at `start`.

    In quiet hours that is their end, if an hour is left to the visit then; else half an hour before
    they began, which may have passed by now.
    """
    return _out_of_quiet(due, latest=start - BEFORE_VISIT, zone=zone, quiet=quiet)


def _out_of_quiet(due: datetime, *, latest: datetime, zone: ZoneInfo, quiet: Quiet) -> datetime:
    if not is_quiet(due, zone=zone, quiet=quiet):
        return due.astimezone(UTC)
    morning = quiet_ends(due, zone=zone, quiet=quiet)
    return morning if morning <= latest else _evening(due, zone=zone, quiet=quiet)


def _evening(due: datetime, *, zone: ZoneInfo, quiet: Quiet) -> datetime:
    """Return the last instant before `due` that is a while before quiet hours began."""
    begins = _shown(quiet.start, zone, around=due)
    ends = _shown(quiet.end, zone, around=due)
    tries = [begin - lead for begin in reversed(begins) if begin <= due for lead in BEFORE_QUIET]
    tries += [end for end in reversed(ends) if end <= due]  # not a minute is left of that day
    return next(at for at in tries if not is_quiet(at, zone=zone, quiet=quiet))


def _shown(wall: time, zone: ZoneInfo, *, around: datetime) -> list[datetime]:
    """Return when the zone's clocks show a time in the days up to one."""
    return sorted(shown(wall, zone, day=around.astimezone(zone).date(), days=range(-2, 1)))
