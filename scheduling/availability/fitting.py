"""Which of the times on offer leave the least time in gaps too short to book: a hint for staff.

Decides what is compared with what; the arithmetic of gaps is `scheduling.gaps`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from providers.models import Provider, VisitType
from scheduling.availability.query import FreeSlot, Place, Query
from scheduling.availability.rows import Rows, read
from scheduling.gaps import Diary
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms
from scheduling.slots import Visit

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Day:
    """A provider's day at a clinic, on the clinic's calendar; its times are compared."""

    provider: Provider
    clinic: UUID
    date: date

    @classmethod
    def of(cls, slot: FreeSlot) -> _Day:
        return cls(slot.provider, slot.clinic.pk, slot.local_start.date())


def best_fits(
    slots: Sequence[FreeSlot],
    *,
    query: Query,
    kinds: Iterable[VisitType],
    terms: Terms,
    now: datetime,
    ignore: SlotHold | Appointment | None = None,
) -> frozenset[Place]:
    """Return the places of the slots that waste the least of their provider's day.

    Each is compared with all that the query offers on that day of that provider, shown or not, so
    that it is marked the same on whatever page it stands. Where a day's times are all equal, none
    is best. `kinds` are the types of visit there are: every one can fill a gap. `ignore` is as in
    the search. Asks a constant number of questions, and none for no slots.
    """
    visit = _visit(query.visit_type)
    days = {_Day.of(slot) for slot in slots}
    zones = {slot.clinic.pk: slot.clinic.zone for slot in slots}
    found: set[Place] = set()
    for day, diary in _diaries(days, kinds, now, ignore):
        waste = {
            Place(at.start, day.provider.pk): diary.wasted(visit, at)
            for at in diary.offered(visit)
            if _is_offered(query, at.start.astimezone(zones[day.clinic]), terms, now)
        }
        if isinstance(ignore, Appointment):
            waste.pop(Place(ignore.scheduled_start, ignore.provider_id), None)
        found |= _least(waste)
    return frozenset(slot.place for slot in slots) & found


def _is_offered(query: Query, start: datetime, terms: Terms, now: datetime) -> bool:
    """Say whether the query wants a time of a day on which it found one. `start` is local."""
    notice = query.visit_type.minimum_notice_minutes if terms.notice_and_horizon else 0
    clock = start.time()
    return (
        start >= now + notice * MINUTE
        and (query.not_before is None or clock >= query.not_before)
        and (query.not_after is None or clock <= query.not_after)
    )


def _least(waste: Mapping[Place, int]) -> set[Place]:
    """Return the places that waste least, if there are others."""
    least = min(waste.values(), default=0)
    best = {place for place, minutes in waste.items() if minutes == least}
    return best if len(best) < len(waste) else set()


def _diaries(
    days: Collection[_Day],
    kinds: Iterable[VisitType],
    now: datetime,
    ignore: SlotHold | Appointment | None,
) -> Iterator[tuple[_Day, Diary]]:
    """Yield each day with what is known of it, read for all of them at once."""
    if not days:
        return
    zero = datetime.combine(min(day.date for day in days), time.min, UTC)
    span = max(day.date for day in days) - zero.date()
    rows = read(
        list({day.provider.pk for day in days}),
        begin=zero - 2 * DAY,
        end=zero + span + 3 * DAY,
        clock=now,
        ignore=None if ignore is None else ignore.pk,
    )
    visits = {kind: _visit(kind) for kind in kinds}
    for day in days:
        if diary := _diary(day, rows, visits, now, ignore):
            yield day, diary


def _diary(
    day: _Day,
    rows: Rows,
    visits: Mapping[VisitType, Visit],
    now: datetime,
    ignore: SlotHold | Appointment | None,
) -> Diary | None:
    provider = day.provider
    windows = [each for each in rows.windows.get(provider.pk, ()) if each.clinic == day.clinic]
    if not windows:
        return None
    holds = [
        (held.start, held.end)
        for held in rows.holds.get(provider.pk, [])
        if ignore is None or held.id != ignore.pk
    ]
    by_video = provider.offers_telehealth
    return Diary(
        windows,
        visits=[visit for kind, visit in visits.items() if by_video or not kind.is_telehealth],
        day=day.date,
        taken=[*rows.taken.get(provider.pk, []), *holds],
        away=[*rows.away.get(provider.pk, []), *rows.closures.get(day.clinic, [])],
        now=now,
    )


def _visit(kind: VisitType) -> Visit:
    return Visit(kind.pk, kind.minutes, kind.buffer_before_minutes, kind.buffer_after_minutes)
