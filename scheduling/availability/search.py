"""Answers what is free: the first times, the days that have any, the nearest, and one start.

Every answer comes from the same walk over blocks, in order, that stops as soon as it has enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from scheduling.availability import filling, matching
from scheduling.availability.query import DayOpenings, FreeSlot, Place, Query
from scheduling.blocks import timeline
from scheduling.blocks.masks import Asked
from scheduling.blocks.reading import Need, Opening, Openings, openings
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# Nothing is looked for further ahead, whoever asks.
FURTHEST = 3 * 366 * DAY
MOST_BLOCKS = 8


def search(
    query: Query,
    *,
    terms: Terms,
    now: datetime,
    limit: int = 20,
    after: Place | datetime | None = None,
    ignore: SlotHold | Appointment | None = None,
) -> list[FreeSlot]:
    """Return the first `limit` free times, ordered by time, the provider's name and id.

    `after` continues a page: at a place, or later than an instant. `ignore` is the caller's own
    hold, or the visit that is to be moved: it takes no time, and its own place is not offered.
    """
    walk = _Walk(query, terms=terms, now=now, ignore=ignore)
    since = after.start if isinstance(after, Place) else after
    found: list[Opening] = []
    for openings_ in walk.blocks(since=since):
        for start in openings_.starts():
            most = None if start == since else limit - len(found)
            found += walk.beyond(after, openings_.at(start, most=most))
            if len(found) >= limit:
                return walk.slots(found[:limit])
    return walk.slots(found)


def days_with_openings(
    query: Query,
    *,
    terms: Terms,
    now: datetime,
    days: int = 10,
    ignore: SlotHold | Appointment | None = None,
) -> list[DayOpenings]:
    """Return the next `days` days that have a free time, with how many different times each has."""
    walk = _Walk(query, terms=terms, now=now, ignore=ignore)
    firsts: dict[date, Opening] = {}
    counts: dict[date, int] = {}
    for openings_ in walk.blocks(stretch=1 + days // 5):
        for day, start in walk.local_days(openings_):
            if day not in counts:
                firsts[day] = next(o for o in openings_.at(start) if walk.day(o) == day)
            counts[day] = counts.get(day, 0) + 1
        if sum(day < walk.today(openings_) for day in counts) >= days:
            break
    wanted = sorted(counts)[:days]
    slots = walk.slots(firsts[day] for day in wanted)
    return [
        DayOpenings(day=slot.local_start.date(), count=counts[slot.local_start.date()], first=slot)
        for slot in slots
    ]


def nearest(
    query: Query, *, to: datetime, terms: Terms, now: datetime, limit: int = 3
) -> list[FreeSlot]:
    """Return the free times nearest to a wanted start: the wanted provider's, then others'.

    Looks from a day before to two weeks after. Others are those of the provider's specialty, each
    with the time that is nearest.
    """
    day = to.astimezone(query.clinics[0].zone).date()
    near = replace(query, first_day=day - DAY, last_day=day + 14 * DAY)
    if query.provider is not None:
        near = replace(near, provider=None, specialty=query.provider.specialty)
    walk = _Walk(near, terms=terms, now=now)
    wanted = None if query.provider is None else walk.number_of(query.provider.pk)
    every = list(walk.blocks(stretch=4))
    own = [] if wanted is None else list(_by_distance(every, to, only=wanted))[:limit]
    others: dict[int, Opening] = {}
    for opening in _by_distance(every, to):
        if len(own) + len(others) == limit:
            break
        if opening.provider != wanted:
            others.setdefault(opening.provider, opening)
    return walk.slots([*own, *others.values()])


def is_free(query: Query, *, start: datetime, terms: Terms, now: datetime) -> bool:
    """Say whether one start is offered by the query's provider at this moment."""
    days = [start.astimezone(clinic.zone).date() for clinic in query.clinics]
    one_day = replace(query, first_day=min(days), last_day=max(days))
    walk = _Walk(one_day, terms=terms, now=now)
    return any(openings_.at(start) for openings_ in walk.blocks())


class _Walk:
    """One search: its providers, its clinics' calendars, and the way through the blocks."""

    def __init__(
        self,
        query: Query,
        *,
        terms: Terms,
        now: datetime,
        ignore: SlotHold | Appointment | None = None,
    ) -> None:
        kind, bound = query.visit_type, terms.notice_and_horizon
        self.query = query
        self.now = now.astimezone(UTC)
        self.notice = kind.minimum_notice_minutes * MINUTE if bound else timedelta(0)
        self.horizon = kind.horizon_days * DAY if bound else FURTHEST
        self.need = Need(
            kind.pk, kind.minutes, kind.buffer_before_minutes, kind.buffer_after_minutes
        )
        self.clinics = {clinic.pk: clinic for clinic in query.clinics}
        self.moving = ignore if isinstance(ignore, Appointment) else None
        self.own_hold = ignore.pk if isinstance(ignore, SlotHold) else None
        self.matched = matching.matching(query)

    def blocks(self, *, since: datetime | None = None, stretch: int = 1) -> Iterator[Openings]:
        """Yield every block in which a start is wanted, in order, reading ever more at once."""
        asked = {clinic.pk: self._asked(clinic.zone, since) for clinic in self.query.clinics}
        spans = [
            (max(a.earliest, _midnight(a.first) - DAY), _midnight(a.last) + 2 * DAY)
            for a in asked.values()
            if a.first <= a.last
        ]
        if not (len(self.matched) and spans):
            return
        left = list(timeline.blocks_between(min(s for s, _e in spans), max(e for _s, e in spans)))
        while left:
            some, left = left[:stretch], left[stretch:]
            stretch = min(2 * stretch, MOST_BLOCKS)
            yield from self._read(some, asked)

    def _asked(self, zone: object, since: datetime | None) -> Asked:
        today = self.now.astimezone(zone).date()  # type: ignore[arg-type]
        query = self.query
        return Asked(
            max(query.first_day, today - DAY),
            min(query.last_day, today + self.horizon, today + FURTHEST),
            max(self.now + self.notice, since or self.now),
            query.weekdays,
            query.not_before,
            query.not_after,
        )

    def _read(self, blocks: list[int], asked: dict[UUID, Asked]) -> Iterator[Openings]:
        grid = self.need.grid
        wanted = [
            block
            for block in blocks
            if any(asked[pk].mask(clinic.zone, block, grid) for pk, clinic in self.clinics.items())
        ]
        records = filling.records(self.matched, wanted, grid, moving=self.moving)
        for block in wanted:
            yield openings(
                records[block],
                self.need,
                block=block,
                mask=partial(self._mask, asked, block),
                clock=self.matched.clock,
                own=self.own_hold,
            )

    def _mask(self, asked: dict[UUID, Asked], block: int, clinic: UUID, grid: int) -> int:
        """Return the cells asked for; none at a clinic that is not."""
        if clinic not in asked:
            return 0
        return asked[clinic].mask(self.clinics[clinic].zone, block, grid)

    def number_of(self, provider: UUID) -> int | None:
        """Return a provider's place in the order, None for one whom the filters leave out."""
        entries = self.matched.entries
        return next((n for n, entry in enumerate(entries) if entry[:16] == provider.bytes), None)

    def beyond(self, after: Place | datetime | None, found: list[Opening]) -> list[Opening]:
        """Leave out what a page before has shown, of those who are free at one instant.

        Who is no longer among the providers leaves a mark that nobody can find: then the whole
        instant is shown once more, rather than somebody left out.
        """
        if after is None or not found:
            return found
        if not isinstance(after, Place):
            return [opening for opening in found if opening.start > after]
        if found[0].start != after.start:
            return found
        last = self.number_of(after.provider)
        return [
            opening
            for opening in found
            if last is None
            or opening.provider > last
            or (opening.provider == last and after.clinic and opening.clinic > after.clinic)
        ]

    def local_days(self, found: Openings) -> list[tuple[date, datetime]]:
        """Return (local day, instant) for each different time of each clinic's day, in order."""
        pairs = {
            (start.astimezone(clinic.zone).date(), start)
            for clinic in self.query.clinics
            for start in found.starts(clinic.pk)
        }
        return sorted(pairs)

    def today(self, found: Openings) -> date:
        """Return the local day with which a block ends, where it is earliest: it may go on."""
        end = timeline.begins(found.block + 1)
        return min(end.astimezone(clinic.zone).date() for clinic in self.query.clinics)

    def day(self, opening: Opening) -> date:
        return opening.start.astimezone(self.clinics[opening.clinic].zone).date()

    def slots(self, found: Iterable[Opening]) -> list[FreeSlot]:
        """Return openings as free times, with the providers as they are now."""
        found = list(found)
        entries = self.matched.entries
        ids = {o.provider: UUID(bytes=entries[o.provider][:16]) for o in found}
        people = matching.by_ids(set(ids.values())) if ids else {}
        return [
            FreeSlot(
                o.start,
                o.start + o.minutes * MINUTE,
                people[ids[o.provider]],
                self.clinics[o.clinic],
            )
            for o in found
            if ids[o.provider] in people
        ]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _by_distance(
    found: list[Openings], to: datetime, *, only: int | None = None
) -> Iterator[Opening]:
    """Yield openings from the nearest to the furthest; of those equally far, by provider."""
    every = [
        (abs(start - to), start, some)
        for some in found
        for start in (some.starts() if only is None else some.starts_of(only))
    ]
    every.sort(key=lambda entry: entry[:2])
    for _distance, group in groupby(every, key=lambda entry: entry[0]):
        same = [opening for _far, start, some in group for opening in some.at(start)]
        mine = [opening for opening in same if only in {None, opening.provider}]
        yield from sorted(mine, key=attrgetter("provider", "start"))
