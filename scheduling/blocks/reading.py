"""Decides where a visit fits in the records of many providers at once.

Providers are numbers here: their place in the order in which answers are given. Records that are
laid out alike are laid end to end and treated as one long integer, some hundred at a time, so that
a shift moves the weeks of all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from uuid import UUID

from scheduling.blocks import timeline
from scheduling.blocks.records import PREFIX, Layout, layout_of, live_holds

TOGETHER = 256


@dataclass(frozen=True, slots=True)
class Need:
    """What a visit takes: minutes, None meaning the step of the hours in which it starts."""

    type: Hashable
    minutes: int | None
    before: int = 0
    after: int = 0

    @property
    def grid(self) -> int:
        return timeline.grid_for([self.minutes or 0, self.before, self.after])


@dataclass(frozen=True, slots=True)
class Opening:
    """A start that fits: who, where, and how long in minutes."""

    start: datetime
    provider: int
    clinic: UUID
    minutes: int


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where a visit of `minutes` may start with some providers: their bits, end to end."""

    clinic: UUID
    minutes: int
    grid: int
    providers: Sequence[int]
    bits: bytes

    def any(self) -> int:
        """Return the cells at which at least one of them is free, as bits."""
        bits, left = int.from_bytes(self.bits, "little"), len(self.providers)
        size = 8 * timeline.width(self.grid)
        while left > 1:
            left = (left + 1) // 2
            bits = (bits >> left * size) | (bits & ((1 << left * size) - 1))
        return bits

    def of(self, provider: int) -> int:
        width = timeline.width(self.grid)
        begin = width * self.providers.index(provider)
        return int.from_bytes(self.bits[begin : begin + width], "little")

    def free_at(self, cell: int) -> Iterator[int]:
        bit = 1 << (cell & 7)
        column = self.bits[cell >> 3 :: timeline.width(self.grid)]
        return (who for who, byte in zip(self.providers, column, strict=True) if byte & bit)


@dataclass(frozen=True, slots=True)
class Openings:
    """Where a visit fits in one block."""

    block: int
    sheets: tuple[_Sheet, ...]

    def starts(self, clinic: UUID | None = None) -> list[datetime]:
        """Return the instants, ascending, at which anybody is free (at one clinic, if given)."""
        union: dict[int, int] = {}
        for sheet in self.sheets:
            if clinic is None or sheet.clinic == clinic:
                union[sheet.grid] = union.get(sheet.grid, 0) | sheet.any()
        zero = timeline.origin(self.block)
        minutes = {cell * grid for grid, bits in union.items() for cell in _numbers(bits)}
        return [zero + timedelta(minutes=minute) for minute in sorted(minutes)]

    def starts_of(self, provider: int) -> list[datetime]:
        """Return the instants, ascending, at which one provider is free."""
        zero = timeline.origin(self.block)
        minutes = {
            cell * sheet.grid
            for sheet in self.sheets
            if provider in sheet.providers
            for cell in _numbers(sheet.of(provider))
        }
        return [zero + timedelta(minutes=minute) for minute in sorted(minutes)]

    def at(self, start: datetime, *, most: int | None = None) -> list[Opening]:
        """Return who is free at an instant, in the providers' order, each clinic once."""
        found: dict[tuple[int, UUID], int] = {}
        for sheet in self.sheets:
            cell = timeline.at(self.block, sheet.grid, start)
            for provider in () if cell is None else islice(sheet.free_at(cell), most):
                key = provider, sheet.clinic
                found[key] = min(sheet.minutes, found.get(key, sheet.minutes))
        first = sorted(found)[:most]
        return [Opening(start, who, where, found[who, where]) for who, where in first]


def openings(
    records: Sequence[bytes],
    need: Need,
    *,
    block: int,
    mask: Callable[[UUID, int], int],
    clock: datetime,
    own: UUID | None = None,
) -> Openings:
    """Find where a visit fits in one block of many providers.

    `mask` returns the cells asked for at a clinic, on a grid; `clock` is the database's, by which
    holds end; `own` is a hold that does not count. Raises ValueError on a record that is none.
    """
    sheets: list[_Sheet] = []
    masks: dict[tuple[UUID, int], int] = {}
    for layout, alike in _by_layout(records):
        wanted = {}
        for clinic in {hours.clinic for hours in layout.hours}:
            key = clinic, layout.grid
            if key not in masks:
                masks[key] = mask(*key)
            wanted[clinic] = masks[key]
        for first in range(0, len(alike), TOGETHER):
            some = alike[first : first + TOGETHER]
            reader = _Reader(layout, [records[place] for place in some], clock, own)
            for clinic, minutes, bits in reader.fits(need, wanted):
                sheets.append(_Sheet(clinic, minutes, layout.grid, some, bits))
    return Openings(block, tuple(sheets))


def _by_layout(records: Sequence[bytes]) -> Iterable[tuple[Layout, list[int]]]:
    """Group the places of records that are laid out alike; most differ in their clinic only."""
    alike: defaultdict[bytes, list[int]] = defaultdict(list)
    for place, prefix in enumerate(map(itemgetter(slice(PREFIX)), records)):
        alike[prefix].append(place)
    groups: dict[Layout, list[int]] = {}
    for places in alike.values():
        for layout, some in _split(records, places):
            groups.setdefault(layout, []).extend(some)
    return groups.items()


def _split(records: Sequence[bytes], places: list[int]) -> Iterator[tuple[Layout, list[int]]]:
    """Yield the layouts among records that begin alike; the rest of their heads may differ."""
    first = layout_of(records[places[0]])
    if first.begins <= PREFIX:
        yield first, places
        return
    for place in places:
        yield layout_of(records[place]), [place]


class _Reader:
    """Some records laid out alike, end to end."""

    def __init__(
        self, layout: Layout, records: Sequence[bytes], clock: datetime, own: UUID | None
    ) -> None:
        self.layout, self.count = layout, len(records)
        self.width = layout.width
        self.size = self.width * self.count
        without_holds = layout.size
        some_are_held = max(map(len, records)) > without_holds
        self.records = records
        self.held = {
            place: cells
            for place, record in enumerate(records if some_are_held else ())
            if len(record) > without_holds
            if (cells := live_holds(record, layout, clock=clock, own=own))
        }

    def fits(self, need: Need, masks: Mapping[UUID, int]) -> Iterator[tuple[UUID, int, bytes]]:
        """Yield (clinic, minutes, bits) for each length that the visit has in these hours."""
        classes = [
            (number, hours)
            for number, hours in enumerate(self.layout.hours)
            if hours.allows(need.type)
        ]
        for clinic in {hours.clinic for _number, hours in classes if masks.get(hours.clinic)}:
            mine = [(number, hours.step) for number, hours in classes if hours.clinic == clinic]
            yield from self._at(clinic, mine, need, masks[clinic])

    def _at(
        self, clinic: UUID, classes: list[tuple[int, int]], need: Need, mask: int
    ) -> Iterator[tuple[UUID, int, bytes]]:
        hours, starts = 0, dict[int, int]()
        free = None
        for number, step in classes:
            low, high = self._planes(number)
            first = low & high
            hours |= high
            length = step if need.minutes is None else need.minutes
            starts[length] = starts.get(length, 0) | first
            free = free or _ones(self.size) ^ low ^ first
        wanted = self._repeated(mask)
        for length, first in starts.items():
            found = first & wanted
            if found:
                found &= runs(hours, length // self.layout.grid)
            if found and (need.before or need.after) and free is not None:
                found &= self._with_buffers(free, length, need)
            if found:
                yield clinic, length, found.to_bytes(self.size, "little")

    def _with_buffers(self, free: int, length: int, need: Need) -> int:
        grid = self.layout.grid
        around = runs(free, (need.before + length + need.after) // grid)
        return around << (need.before // grid)

    def _planes(self, number: int) -> tuple[int, int]:
        where_low, where_high = self.layout.planes(number)
        lows = [record[where_low] for record in self.records]
        highs = [record[where_high] for record in self.records]
        for place, cells in self.held.items():
            # A kept cell is a taken one.
            low = int.from_bytes(lows[place], "little") | cells
            high = int.from_bytes(highs[place], "little") & ~cells
            lows[place] = low.to_bytes(self.width, "little")
            highs[place] = high.to_bytes(self.width, "little")
        return int.from_bytes(b"".join(lows), "little"), int.from_bytes(b"".join(highs), "little")

    def _repeated(self, mask: int) -> int:
        return int.from_bytes(mask.to_bytes(self.width, "little") * self.count, "little")


@lru_cache(maxsize=64)
def _ones(size: int) -> int:
    return (1 << 8 * size) - 1


def runs(bits: int, length: int) -> int:
    """Return the bits at which `length` set bits begin, by doubling."""
    have = 1
    while have < length:
        step = min(have, length - have)
        bits &= bits >> step
        have += step
    return bits


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
