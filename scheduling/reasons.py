"""Decides why nothing was found: the first rule that leaves no start of those before it.

Refuses to know rows, who asks and words: calendars, the visit and the clock are passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from scheduling.explanations import Asked, Calendar, Filter, Finding, Gap, Reason
from scheduling.intervals import Interval, merge, subtract
from scheduling.slots import Slot, free_slots
from scheduling.windows import Window, days_between, starts, working

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)

ABOUT_HOURS = {Reason.OUTSIDE_HOURS, Reason.TYPE_NOT_ALLOWED}

Wants = Callable[[datetime], bool]


def find_reason(calendars: Sequence[Calendar], asked: Asked) -> Finding:
    """Say which rule leaves nothing in these calendars; FREE_BY_NOW where something is left.

    Stops at the first calendar that passes a rule, so only the last rule is asked of all.
    """
    if asked.first_day > asked.last_day:
        return Finding(Reason.FILTERED_OUT, frozenset({Filter.DATES}))
    known = [calendar for calendar in calendars if calendar.windows]
    reason = _first_rule(known, asked, _anything)
    if reason is not None:
        return _detailed(reason, known, asked)
    among = _first_rule(known, asked, lambda at: asked.on_weekday(at) and asked.at_hour(at))
    if among is None:
        return Finding(Reason.FREE_BY_NOW)
    return Finding(Reason.FILTERED_OUT, _to_blame(known, asked), among_wanted=among)


def _anything(_local: datetime) -> bool:
    return True


def _first_rule(calendars: Sequence[Calendar], asked: Asked, wants: Wants) -> Reason | None:
    rules: list[tuple[Reason, Callable[[Calendar, Asked], Iterable[datetime]]]] = [
        (Reason.OUTSIDE_HOURS, _in_hours),
        (Reason.TYPE_NOT_ALLOWED, _of_type),
        (Reason.CLOSED, partial(_present, closures_only=True)),
        (Reason.AWAY, _present),
        (Reason.GAP_TOO_SHORT, partial(_free, visits=False, holds=False)),
        (Reason.BOOKED, partial(_free, holds=False)),
        (Reason.HELD, _free),
        (Reason.NOTICE, partial(_free, notice=True)),
        (Reason.HORIZON, partial(_free, notice=True, horizon=True)),
    ]
    alike = list({tuple(calendar.windows): calendar for calendar in calendars}.values())
    for reason, left in rules:
        asked_of = alike if reason in ABOUT_HOURS else calendars
        if not any(_wanted(left(calendar, asked), calendar, wants) for calendar in asked_of):
            return reason
    return None


def _wanted(instants: Iterable[datetime], calendar: Calendar, wants: Wants) -> bool:
    zone = calendar.windows[0].zone
    return any(wants(instant.astimezone(zone)) for instant in instants)


def _in_hours(calendar: Calendar, asked: Asked) -> Iterator[datetime]:
    yield from _starts(calendar.windows, asked)


def _of_type(calendar: Calendar, asked: Asked) -> Iterator[datetime]:
    yield from _starts(_allowed(calendar, asked), asked)


def _starts(windows: Iterable[Window], asked: Asked) -> Iterator[datetime]:
    """The starts on the grid that have not passed, whatever fits there."""
    for window in windows:
        for day in days_between(asked.first_day, asked.last_day):
            yield from (start for start in starts(window, day) if start >= asked.now)


def _allowed(calendar: Calendar, asked: Asked) -> list[Window]:
    return [window for window in calendar.windows if window.allows(asked.visit.type)]


def _present(
    calendar: Calendar, asked: Asked, *, closures_only: bool = False
) -> Iterator[datetime]:
    gone = merge(calendar.closed if closures_only else [*calendar.closed, *calendar.away])
    for start in _of_type(calendar, asked):
        if not any(absence.start <= start < absence.end for absence in gone):
            yield start


def _free(
    calendar: Calendar,
    asked: Asked,
    *,
    visits: bool = True,
    holds: bool = True,
    notice: bool = False,
    horizon: bool = False,
) -> list[datetime]:
    """The starts at which the visit fits, by the rules that are asked for."""
    return [
        slot.start
        for slot in _slots(calendar, asked, visits=visits, holds=holds, bound=(notice, horizon))
        if not visits or slot.start != calendar.own_start
    ]


def _slots(
    calendar: Calendar, asked: Asked, *, visits: bool, holds: bool, bound: tuple[bool, bool]
) -> list[Slot]:
    notice, horizon = bound
    return free_slots(
        windows=calendar.windows,
        visit=replace(
            asked.visit,
            notice=asked.visit.notice if notice else timedelta(0),
            horizon_days=asked.visit.horizon_days if horizon else None,
        ),
        first_day=asked.first_day,
        last_day=asked.last_day,
        blocked=[
            *(calendar.visits if visits else []),
            *((hold.busy for hold in calendar.holds) if holds else []),
        ],
        away=[*calendar.away, *calendar.closed],
        now=asked.now,
    )


def _to_blame(calendars: Sequence[Calendar], asked: Asked) -> frozenset[Filter]:
    """Which of weekday and time of day alone would leave something; both if neither does."""
    if not asked.weekdays:
        return frozenset({Filter.TIME_OF_DAY})
    if asked.not_before is None and asked.not_after is None:
        return frozenset({Filter.WEEKDAY})
    tests = {Filter.TIME_OF_DAY: asked.on_weekday, Filter.WEEKDAY: asked.at_hour}
    alone = {
        dropped
        for dropped, rest in tests.items()
        if any(
            _wanted(_free(calendar, asked, notice=True, horizon=True), calendar, rest)
            for calendar in calendars
        )
    }
    return frozenset(alone or tests)


def _detailed(reason: Reason, calendars: Sequence[Calendar], asked: Asked) -> Finding:
    match reason:
        case Reason.CLOSED | Reason.AWAY:
            return Finding(reason, until=_back(calendars, asked))
        case Reason.GAP_TOO_SHORT:
            return Finding(reason, gap=_longest_gap(calendars, asked, visits=False))
        case Reason.BOOKED:
            gap = _longest_gap(calendars, asked, visits=True)
            return Finding(Reason.GAP_TOO_SHORT if gap else reason, gap=gap)
        case Reason.HELD:
            return Finding(reason, until=_first_hold_ends(calendars, asked))
        case _:
            return Finding(reason)


def _back(calendars: Sequence[Calendar], asked: Asked) -> datetime | None:
    """When the first provider is back, from whatever covers their last hours of the span."""
    ends = []
    for calendar in calendars:
        last = max(_of_type(calendar, asked), default=None)
        gone = merge([*calendar.away, *calendar.closed])
        ends += [g.end for g in gone if last is not None and g.start <= last < g.end]
    return min(ends, default=None)


def _longest_gap(calendars: Sequence[Calendar], asked: Asked, *, visits: bool) -> Gap | None:
    found: list[Gap] = []
    for calendar in calendars:
        windows = _allowed(calendar, asked)
        hours = working(windows, asked.first_day, asked.last_day).values()
        taken = [*calendar.away, *calendar.closed, *(calendar.visits if visits else [])]
        if calendar.own_start is not None:
            longest = max((asked.visit.length_in(w) for w in windows), default=_MINUTE)
            taken.append(Interval(calendar.own_start, calendar.own_start + longest))
        past = [Interval(asked.now - 2 * _DAY, asked.now)]
        needed = min((asked.visit.length_in(w) for w in windows), default=timedelta(0))
        needed += (asked.visit.buffer_before + asked.visit.buffer_after) * _MINUTE
        for pieces in hours:
            free = subtract(pieces, [*taken, *past])
            found += [Gap(piece.start, piece.end - piece.start, needed, visits) for piece in free]
    return max(found, key=lambda gap: gap.longest, default=None)


def _first_hold_ends(calendars: Sequence[Calendar], asked: Asked) -> datetime | None:
    """When the first of the times that are only held may be free again."""
    ends = []
    for calendar in calendars:
        for slot in _slots(calendar, asked, visits=True, holds=False, bound=(False, False)):
            busy = slot.busy(asked.visit)
            over = [hold.expires for hold in calendar.holds if hold.busy.overlaps(busy)]
            ends += [max(over)] if over and slot.start != calendar.own_start else []
    return min(ends, default=None)
