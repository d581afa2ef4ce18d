"""Where in a provider's time around an opening a visit is free, by the rules of every booking.

Read once for any number of visit types. Refuses to know who waits, and promises nothing: whoever
keeps a time looks again under the calendar's lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from psycopg.types.range import Range

from providers.models import VisitType
from scheduling.availability.rows import read
from scheduling.blocks.records import Minutes
from scheduling.blocks.timeline import EPOCH
from scheduling.intervals import Interval, subtract
from scheduling.models import Opening, SlotHold
from scheduling.openings import SHORTEST
from scheduling.placing import Placement
from scheduling.slots import Slot, Visit, free_slots
from scheduling.waitlist.rests import span_of
from scheduling.windows import Window, working

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
# The longest visit with its buffers reaches so far out of an opening that it touches.
REACH = timedelta(hours=13)


@dataclass(frozen=True, slots=True)
class Kept:
    """Time that others keep until an instant."""

    span: Interval
    until: datetime


class Diary:
    """A provider's time around an opening, as it is at `clock`, the database's own.

    `own` is the hold of the opening itself, which does not count. An opening that is younger and
    touches the same time has it: time that came free twice is offered once.
    """

    def __init__(
        self, opening: Opening, *, own: SlotHold | None, clock: datetime, now: datetime
    ) -> None:
        self.opening, self.now = opening, now
        self.span = span_of(opening)
        provider, clinic = opening.provider, opening.clinic
        self.is_bookable = provider.is_active and clinic.is_active
        rows = read(
            [provider.pk], begin=self.span.start - REACH, end=self.span.end + REACH, clock=clock
        )
        self.windows = [w for w in rows.windows.get(provider.pk, ()) if w.clinic == clinic.pk]
        self.taken = [_interval(each) for each in rows.taken.get(provider.pk, ())]
        gone = [*rows.away.get(provider.pk, ()), *rows.closures.get(clinic.pk, ())]
        self.away = [_interval(each) for each in gone]
        self.kept = [
            Kept(_interval((held.start, held.end)), held.until)
            for held in rows.holds.get(provider.pk, ())
            if own is None or held.id != own.pk
        ]
        self.younger = _younger(opening, self.span)
        self._found: dict[VisitType, tuple[Placement, ...]] = {}

    def fit(self, visit_type: VisitType) -> Placement | None:
        """Return the first place for a visit of this type."""
        return next(iter(self.fits(visit_type)), None)

    def fits(self, visit_type: VisitType) -> tuple[Placement, ...]:
        """Return every place for a visit of this type that takes some of the opening's time.

        Those inside it come first, then those that reach into free time beside it; each by start.
        """
        if visit_type not in self._found:
            self._found[visit_type] = tuple(self._look_for(visit_type))
        return self._found[visit_type]

    def why_not(self) -> str | None:
        """Return why none of the opening's time can be offered at all, or None if some can.

        NOT_WORKED, BOOKED, or HELD while somebody else keeps all that is left.
        """
        worked = self._worked if self.is_bookable else []
        if not worked:
            return "NOT_WORKED"
        free = _of_use(subtract(worked, [*self.taken, *self.younger]))
        if not free:
            return "BOOKED"
        return None if _of_use(subtract(free, [each.span for each in self.kept])) else "HELD"

    @property
    def held_until(self) -> datetime | None:
        """When the first of the others' holds on the opening's own time ends."""
        ends = [each.until for each in self.kept if each.span.overlaps(self.span)]
        return min(ends, default=None)

    def stands(self, visit: Interval, busy: Interval, visit_type: VisitType) -> bool:
        """Say whether a visit that was offered could still be booked in its place."""
        allowed = [window for window in self.windows if window.allows(visit_type.pk)]
        is_worked = any(piece.contains(visit) for piece in self._open(allowed))
        return self.is_bookable and is_worked and not any(map(busy.overlaps, self.taken))

    def _look_for(self, visit_type: VisitType) -> list[Placement]:
        if visit_type.is_telehealth and not self.opening.provider.offers_telehealth:
            return []
        visit = Visit(
            visit_type.pk,
            visit_type.minutes,
            visit_type.buffer_before_minutes,
            visit_type.buffer_after_minutes,
        )
        first, last = self._days
        slots = free_slots(
            windows=self.windows,
            visit=visit,
            first_day=first,
            last_day=last,
            blocked=[*self.taken, *self.younger, *(each.span for each in self.kept)],
            away=self.away,
            now=self.now,
        )
        touching = [slot for slot in slots if slot.busy(visit).overlaps(self.span)]
        touching.sort(key=lambda slot: (not self.span.contains(slot.busy(visit)), slot.start))
        return [self._placement(slot, visit_type) for slot in touching]

    def _placement(self, slot: Slot, visit_type: VisitType) -> Placement:
        opening = self.opening
        return Placement(opening.provider, opening.clinic, visit_type, slot.start, slot.end)

    @property
    def _days(self) -> tuple[date, date]:
        zone = self.opening.clinic.zone
        first = (self.span.start - REACH).astimezone(zone).date()
        return first, (self.span.end + REACH).astimezone(zone).date()

    @cached_property
    def _worked(self) -> list[Interval]:
        """The opening's own time that is worked, from now on."""
        start = max(self.span.start, self.now)
        if start >= self.span.end:
            return []
        pieces = [each for each in self._open(self.windows) if each.overlaps(self.span)]
        inside = [(max(each.start, start), min(each.end, self.span.end)) for each in pieces]
        return _of_use(Interval(begin, end) for begin, end in inside if begin < end)

    def _open(self, windows: Iterable[Window]) -> list[Interval]:
        """Return when hours are worked by somebody who is there."""
        first, last = self._days
        hours = working(windows, first - DAY, last + DAY).get(self.opening.clinic.pk, [])
        return subtract(hours, self.away)


def _younger(opening: Opening, span: Interval) -> list[Interval]:
    """Return what of a time came free once more since: it was taken in between, or not worked."""
    again = Opening.objects.filter(
        provider=opening.provider_id,
        state=Opening.State.OPEN,
        span__overlap=Range(span.start, span.end),
        pk__gt=opening.pk,
    )
    return [span_of(each) for each in again.exclude(cause=Opening.Cause.DESK)]


def _of_use(pieces: Iterable[Interval]) -> list[Interval]:
    return [piece for piece in pieces if piece.end - piece.start >= SHORTEST]


def _interval(minutes: Minutes) -> Interval:
    start, end = minutes
    return Interval(EPOCH + start * MINUTE, EPOCH + end * MINUTE)
