"""What would be sent in the hours to come if nothing changed, and why the rest would not.

Judges every planned message as it will be judged when it is due. Writes nothing, opens nobody's
record and composes no word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from django.db.models import Q, QuerySet

from providers.models import Clinic
from reminders.due import FALLBACK, NOTICE_FALLBACK
from reminders.gathering import load
from reminders.judging import OF_A_VISIT, Judge, Row
from reminders.kinds import Channel, Kind, Standing, Why
from reminders.models import Notice, Reminder
from reminders.otherwise import NO_WAY

Of = TypeVar("Of", Reminder, Notice)


class Fate(StrEnum):
    """What becomes of a planned message."""

    GOES = "GOES"
    WAITS = "WAITS"
    STAYS = "STAYS"


@dataclass(frozen=True, slots=True)
class Line:
    """One message: due `at`, and then sent by `channel`, or later, or not for the reason `why`.

    A message that goes has a `why` as well where it is why it goes by another way than planned.
    """

    at: datetime
    row: Row
    fate: Fate
    channel: Channel
    why: Why = Why.NONE


def forecast(*, clinic: Clinic | None = None, until: datetime, now: datetime) -> list[Line]:
    """Return what is due from `now` (or before, and not yet looked at) to `until`, in that order.

    Messages that have been left out already are told with their reason. What somebody has just
    asked for, as codes and links, goes at once and is no part of this.
    """
    reminders = _coming(Reminder.objects.all(), until=until, now=now)
    news = Notice.objects.filter(kind__in=[kind.value for kind in OF_A_VISIT])
    notices = _coming(news, until=until, now=now)
    if clinic is not None:
        reminders = reminders.filter(appointment__clinic=clinic)
        notices = notices.filter(appointment__clinic=clinic)
    rows: list[Row] = sorted([*reminders, *notices], key=lambda row: (row.due_at, row.pk))
    planned = [row for row in rows if row.standing == Standing.PLANNED]
    others = {row.pk: list(_by_other_ways(row)) for row in planned}
    load(rows)
    for row in planned:
        for other in others[row.pk]:
            _share_what_was_read(row, other)
    judge = Judge([*planned, *(one for some in others.values() for one in some)], now=now)
    return [_line(row, others.get(row.pk, ()), judge, now=now) for row in rows]


def _coming(rows: QuerySet[Of], *, until: datetime, now: datetime) -> QuerySet[Of]:
    planned = Q(standing=Standing.PLANNED.value, due_at__lte=until)
    left_out = Q(standing=Standing.SKIPPED.value, due_at__gte=now, due_at__lte=until)
    return rows.filter(planned | left_out)


def _by_other_ways(row: Row) -> Iterator[Row]:
    """Yield the same message by the ways that are tried next, as rows that are never written."""
    ways: Sequence[Channel] = ()
    if isinstance(row, Reminder):
        ways = FALLBACK[Kind(row.kind)]
    elif row.kind in OF_A_VISIT:
        ways = NOTICE_FALLBACK
    own = Channel(row.channel)
    for way in ways[ways.index(own) + 1 :] if own in ways else ways:
        other = copy(row)
        other.channel = way.value
        yield other


def _share_what_was_read(row: Row, other: Row) -> None:
    """Let a copy know the visit and people that were read for the row itself."""
    other._state.fields_cache = row._state.fields_cache


def _line(row: Row, others: Sequence[Row], judge: Judge, *, now: datetime) -> Line:
    if row.standing != Standing.PLANNED:
        return Line(row.due_at, row, Fate.STAYS, Channel(row.channel), Why(row.why))
    at = judge.now = max(row.due_at, now)
    planned = judge.verdict(row)
    verdict, way = planned, row
    for other in others:
        if verdict.why not in NO_WAY:
            break
        verdict, way = judge.verdict(other), other
    if verdict.route is not None:
        judge.goes(way, verdict.route)
        return Line(at, row, Fate.GOES, Channel(way.channel), planned.why)
    if verdict.until is not None:
        return Line(verdict.until, row, Fate.WAITS, Channel(way.channel), planned.why)
    return Line(at, row, Fate.STAYS, Channel(row.channel), planned.why)
