"""Reads what free time is made of, for any number of providers in one statement.

One statement sees one moment: the stamps that come with the rows are those of the rows.

Decides nothing: hours, visits, holds and absences come as plain numbers, packed by the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from struct import Struct
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import DateTimeRangeField
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Greatest

from providers.fields import DateTimeRange
from providers.models import Clinic, ClinicClosure, ProviderCalendar, ProviderSchedule, TimeOff
from providers.packing import (
    BigintBytes,
    DateBytes,
    IsAmong,
    MicrosecondBytes,
    Packed,
    SmallintBytes,
    SpanBytes,
    TextBytes,
    TimeBytes,
    UUIDBytes,
    UUIDOrZeroBytes,
)
from scheduling.blocks.records import Held, Minutes
from scheduling.models import Appointment, SlotHold
from scheduling.windows import Window

HOURS = Struct(">16shqqhii16s")  # clinic, weekday, start, end, step, valid from, until, type
SPAN = Struct(">5xq4xq")  # start, end
HOLD = Struct(">16s5xq4xqq")  # id, start, end, expiry
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
CENTURY = datetime(2000, 1, 1, tzinfo=UTC)
TO_CENTURY = 15_778_080  # minutes from 1970
A_MINUTE = 60_000_000  # microseconds
FOR_EVER = 2**31 - 1
NO_TYPE = bytes(16)
UNKNOWN = ZoneInfo("UTC")  # a clinic has a zone before it is active
TAKEN, HELD, AWAY, CLOSED, ZONE, HOURS_OF, STAMP = range(7)


@dataclass(frozen=True, slots=True)
class Rows:
    """What is known of some providers in a span; by provider's id, closures by clinic's.

    Who is not in a mapping has none. Minutes are whole ones since 1970, UTC, cut to the span
    and rounded outward; those of visits and holds have the buffers in them. Equal hours are one
    and the same tuple. Stamps are the calendars', in 8 bytes.
    """

    windows: dict[UUID, tuple[Window, ...]] = field(default_factory=dict)
    taken: dict[UUID, list[Minutes]] = field(default_factory=dict)
    holds: dict[UUID, list[Held]] = field(default_factory=dict)
    away: dict[UUID, list[Minutes]] = field(default_factory=dict)
    closures: dict[UUID, list[Minutes]] = field(default_factory=dict)
    stamps: dict[UUID, bytes] = field(default_factory=dict)


def read(
    ids: Sequence[UUID],
    *,
    begin: datetime,
    end: datetime,
    clock: datetime,
    ignore: UUID | None = None,
) -> Rows:
    """Return what touches [begin, end): hours at any clinic, visits in any lane, live holds.

    Holds are those that have not expired by `clock`. `ignore` is a visit that takes no time, since
    it is to be moved.
    """
    found, zones = Rows(), dict[bytes, ZoneInfo]()
    hours: list[tuple[UUID, bytes]] = []
    kept: dict[int, tuple[dict[UUID, Any], Callable[[bytes], Any]]] = {
        TAKEN: (found.taken, _minutes),
        HELD: (found.holds, _holds),
        AWAY: (found.away, _minutes),
        CLOSED: (found.closures, _minutes),
        STAMP: (found.stamps, bytes),
    }
    for kind, whose, packed in _all(ids, DateTimeTZRange(begin, end), clock, ignore):
        if kind == ZONE:
            zones[whose.bytes] = ZoneInfo(bytes(packed).decode())
        elif kind == HOURS_OF:
            hours.append((whose, packed))
        else:
            where, unpacked = kept[kind]
            where[whose] = unpacked(packed)
    known: dict[bytes, tuple[Window, ...]] = {}
    equal: dict[tuple[Any, ...], tuple[Window, ...]] = {}
    for whose, packed in hours:
        if packed not in known:
            rows = tuple(sorted(HOURS.iter_unpack(packed)))  # they come in any order
            if rows not in equal:
                equal[rows] = tuple(_windows(rows, zones))
            known[packed] = equal[rows]
        found.windows[whose] = known[packed]
    return found


def _hours(mine: IsAmong, span: DateTimeTZRange) -> QuerySet[Any, Any]:
    """Every provider's hours; local dates are at most a day from those in UTC.

    Dates beyond the span are not told: hours that differ in them alone are the same here.
    """
    first, last = (span.lower - DAY).date(), (span.upper + DAY).date()
    worked = ProviderSchedule.objects.filter(
        mine,
        Q(valid_until__isnull=True) | Q(valid_until__gte=first),
        is_active=True,
        valid_from__lte=last,
    )
    return _kind(
        HOURS_OF,
        worked,
        "provider",
        UUIDBytes("clinic"),
        SmallintBytes("day_of_week"),
        TimeBytes("start_time"),
        TimeBytes("end_time"),
        SmallintBytes("slot_duration_minutes"),
        DateBytes(Greatest("valid_from", Value(first))),
        DateBytes(Case(When(valid_until__lt=last, then="valid_until"))),
        UUIDOrZeroBytes("visit_types"),
    )


def _windows(rows: Iterable[tuple[Any, ...]], zones: Mapping[bytes, ZoneInfo]) -> Iterator[Window]:
    """An entry for each allowed type: those of one row of hours have all else in common."""
    found: dict[tuple[Any, ...], set[UUID]] = {}
    for *row, kind in rows:
        types = found.setdefault(tuple(row), set())
        if kind != NO_TYPE:
            types.add(UUID(bytes=kind))
    for (clinic, weekday, start, end, step, first, last), types in sorted(found.items()):
        yield Window(
            clinic=UUID(bytes=clinic),
            zone=zones.get(clinic, UNKNOWN),
            weekday=weekday,
            start=_time(start),
            end=_time(end),
            step=step,
            valid_from=_date(first),
            valid_until=None if last == FOR_EVER else _date(last),
            types=frozenset(types),
        )


def _time(microseconds: int) -> time:
    return (CENTURY + microseconds * MICROSECOND).time()


def _date(days: int) -> date:
    return CENTURY.date() + days * DAY


def _minutes(packed: bytes) -> list[Minutes]:
    return [_outward(start, end) for start, end in SPAN.iter_unpack(packed)]


def _outward(start: int, end: int) -> Minutes:
    return start // A_MINUTE + TO_CENTURY, TO_CENTURY - (-end // A_MINUTE)


def _holds(packed: bytes) -> list[Held]:
    return [
        Held(UUID(bytes=id_), *_outward(start, end), CENTURY + until * MICROSECOND)
        for id_, start, end, until in HOLD.iter_unpack(packed)
    ]


def _all(
    ids: Sequence[UUID], span: DateTimeTZRange, clock: datetime, ignore: UUID | None
) -> Iterable[tuple[int, UUID, bytes]]:
    """Everything in one statement, as (kind, whose, packed)."""
    mine = IsAmong("provider", ids)
    visits = Appointment.objects.live().filter(mine, busy__overlap=span)
    if ignore is not None:
        visits = visits.exclude(pk=ignore)
    holds = SlotHold.objects.filter(mine, busy__overlap=span, expires_at__gt=clock)
    inside = {"end_datetime__gt": span.lower, "start_datetime__lt": span.upper}
    within = Value(span, output_field=DateTimeRangeField())
    busy = SpanBytes("busy", within)
    gone = SpanBytes(DateTimeRange("start_datetime", "end_datetime"), within)
    until = MicrosecondBytes("expires_at")
    return _kind(TAKEN, visits, "provider", busy).union(
        _kind(HELD, holds, "provider", UUIDBytes("pk"), busy, until),
        _kind(AWAY, TimeOff.objects.filter(mine, **inside), "provider", gone),
        _kind(CLOSED, ClinicClosure.objects.filter(**inside), "clinic", gone),
        _hours(mine, span),
        _kind(STAMP, ProviderCalendar.objects.filter(mine), "provider", BigintBytes("stamp")),
        _kind(ZONE, Clinic.objects.filter(time_zone__isnull=False), "pk", TextBytes("time_zone")),
        all=True,
    )


def _kind(kind: int, rows: QuerySet[Any], whose: str, *columns: Any) -> QuerySet[Any, Any]:
    """Each one's rows of a kind, packed to one value."""
    number = Value(kind, output_field=IntegerField())
    named = rows.order_by().values(whose=F(whose)).annotate(kind=number, packed=Packed(*columns))
    packed: QuerySet[Any, Any] = named.values_list("kind", "whose", "packed")
    return packed
