"""Decides how one provider's block is written down: every cell open, a start, taken or outside.

A record has two bit planes for each class of hours, which are those of one clinic with one step
and the same allowed visit types: `high` is open time, `low` the starts in it and all taken time.

    low high
     0   0    outside hours, or away: the buffers of a visit may lie here
     1   0    taken: nothing may
     0   1    open
     1   1    open, and a visit may start here

Holds stand apart, at the end, since they stop to count without anybody writing it down.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from scheduling.blocks import timeline
from scheduling.intervals import Interval, merge
from scheduling.wallclock import spans
from scheduling.windows import Window, days_between, starts

FORMAT = 1
HEAD = struct.Struct("<BBB")
CLASS = struct.Struct("<16sHB")
HOLD = struct.Struct("<16sqHH")  # id, end in microseconds since 1970, first cell, cell after
POINTER = HEAD.size  # as long as a record that names a finer grid, or has no hours
PREFIX = HEAD.size + CLASS.size
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)

# Whole minutes since 1970, UTC; half-open. What begins within a minute takes all of it.
Minutes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Held:
    """Minutes that somebody keeps until `until`, buffers included."""

    id: UUID
    start: int
    end: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """Which working hours a pair of planes is about; no `types` means all of them."""

    clinic: UUID
    step: int
    types: frozenset[UUID]

    def allows(self, visit_type: Hashable) -> bool:
        return not self.types or visit_type in self.types


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands where in a record: `grid` in minutes, `size` in bytes without the holds."""

    grid: int
    hours: tuple[Hours, ...]
    begins: int

    @property
    def width(self) -> int:
        return timeline.width(self.grid)

    @property
    def size(self) -> int:
        return self.begins + 2 * len(self.hours) * self.width

    def planes(self, number: int) -> tuple[slice, slice]:
        """Return where the low and the high plane of a class of hours are."""
        low = self.begins + 2 * number * self.width
        return slice(low, low + self.width), slice(low + self.width, low + 2 * self.width)


def build(
    *,
    block: int,
    grid: int,
    windows: Iterable[Window],
    taken: Iterable[Minutes] = (),
    away: Iterable[Minutes] = (),
    closures: Mapping[UUID, Iterable[Minutes]] | None = None,
    holds: Iterable[Held] = (),
    except_start: datetime | None = None,
) -> bytes:
    """Return the record of one provider's block.

    `closures` are by clinic. `except_start` is not offered: where a visit stands that is to move.
    Where the hours need a finer grid, the record says which, and nothing else: see `finer`.
    """
    needed, classes = _worked(tuple(windows), block, grid)
    if needed < grid:
        return HEAD.pack(FORMAT, needed, 0)
    busy, off = _cells(block, grid, taken), _cells(block, grid, away)
    missing = _starts(block, grid, [except_start])
    head, planes = [HEAD.pack(FORMAT, grid, len(classes))], []
    for hours, worked, offered in classes:
        closed = _cells(block, grid, (closures or {}).get(hours.clinic, ()))
        high = worked & ~(busy | off | closed)
        low = (high & offered & ~missing) | busy
        head.append(_name(hours))
        planes += [_packed(low, grid), _packed(high, grid)]
    return b"".join([*head, *planes, *_held(block, grid, holds)])


def turned(
    record: bytes,
    *,
    block: int,
    taken: Iterable[Minutes] = (),
    held: Iterable[Held] = (),
    dropped: Collection[UUID] = (),
) -> bytes:
    """Return a record in which more time is taken, and holds have come and gone."""
    layout = layout_of(record)
    busy, width = _cells(block, layout.grid, taken), layout.width
    pieces = [record[: layout.begins]]
    for number in range(len(layout.hours)):
        low, high = (int.from_bytes(record[plane], "little") for plane in layout.planes(number))
        pieces += [(low | busy).to_bytes(width, "little"), (high & ~busy).to_bytes(width, "little")]
    gone = {id_.bytes for id_ in dropped}
    pieces += [
        HOLD.pack(whose, *rest)
        for whose, *rest in HOLD.iter_unpack(record[layout.size :])
        if whose not in gone
    ]
    return b"".join([*pieces, *_held(block, layout.grid, held)])


def finer(record: bytes, grid: int) -> int | None:
    """Return the grid that a provider's hours need, if the record says no more than that."""
    return record[1] if record[1] != grid else None


def layout_of(record: bytes) -> Layout:
    """Read a record's head. Raises ValueError where it is none."""
    form, grid, count = HEAD.unpack_from(record)
    if form != FORMAT or grid not in timeline.GRIDS:
        raise ValueError("not a record of a block")
    place, hours = HEAD.size, []
    for _number in range(count):
        clinic, step, types = CLASS.unpack_from(record, place)
        place += CLASS.size
        named = [record[place + 16 * n : place + 16 * (n + 1)] for n in range(types)]
        place += 16 * types
        hours.append(Hours(UUID(bytes=clinic), step, frozenset(UUID(bytes=t) for t in named)))
    return Layout(grid, tuple(hours), place)


def live_holds(record: bytes, layout: Layout, *, clock: datetime, own: UUID | None) -> int:
    """Return the cells that others' holds keep at that moment, as bits."""
    moment, found = (clock - timeline.EPOCH) // _MICROSECOND, 0
    for whose, until, first, last in HOLD.iter_unpack(record[layout.size :]):
        if until > moment and (own is None or whose != own.bytes):
            found |= ((1 << (last - first)) - 1) << first
    return found


@lru_cache(maxsize=16_384)
def _worked(
    windows: tuple[Window, ...], block: int, grid: int
) -> tuple[int, tuple[tuple[Hours, int, int], ...]]:
    """Lay out the hours of a block, before anything takes time: (grid needed, classes).

    A class comes with its worked cells and its starts. Many providers keep the same hours, and one
    keeps the same for months, so the answer is remembered.
    """
    begin, end = timeline.origin(block), timeline.origin(block) + timeline.SPAN
    days = days_between((begin - _DAY).date(), (end + _DAY).date())
    worked: dict[Hours, list[Interval]] = {}
    found: dict[Hours, list[datetime]] = {}
    for window in windows:
        hours = Hours(window.clinic, window.step, window.types)  # type: ignore[arg-type]
        for day in filter(window.applies, days):
            pieces = spans(window.zone, day, window.opens, window.closes)
            pieces = [piece for piece in pieces if piece.start < end and begin < piece.end]
            if pieces:
                worked.setdefault(hours, []).extend(pieces)
                found.setdefault(hours, []).extend(
                    start for start in starts(window, day) if begin <= start < end
                )
    edges = [piece.start for pieces in worked.values() for piece in pieces]
    offered = [start for some in found.values() for start in some]
    needed = timeline.grid_of([*edges, *offered], [hours.step for hours in worked])
    if needed < grid:
        return needed, ()
    return grid, tuple(
        (hours, _inside(block, grid, pieces), _starts(block, grid, found[hours]))
        for hours, pieces in worked.items()
    )


def _inside(block: int, grid: int, pieces: Iterable[Interval]) -> int:
    bits = 0
    for piece in merge(pieces):
        bits |= timeline.filled(block, grid, piece.start, piece.end)
    return bits


def _starts(block: int, grid: int, instants: Iterable[datetime | None]) -> int:
    bits = 0
    for instant in instants:
        number = None if instant is None else timeline.at(block, grid, instant)
        bits |= 0 if number is None else 1 << number
    return bits


def _cells(block: int, grid: int, busy: Iterable[Minutes]) -> int:
    found = 0
    for start, end in busy:
        found |= timeline.covered(block, grid, start, end)
    return found


def _name(hours: Hours) -> bytes:
    named = sorted(kind.bytes for kind in hours.types)
    return b"".join([CLASS.pack(hours.clinic.bytes, hours.step, len(named)), *named])


def _packed(bits: int, grid: int) -> bytes:
    return bits.to_bytes(timeline.width(grid), "little")


def _held(block: int, grid: int, holds: Iterable[Held]) -> Sequence[bytes]:
    found = []
    for hold in holds:
        bits = timeline.covered(block, grid, hold.start, hold.end)
        if bits:
            until = (hold.until - timeline.EPOCH) // _MICROSECOND
            first = (bits & -bits).bit_length() - 1
            found.append(HOLD.pack(hold.id.bytes, until, first, bits.bit_length()))
    return found
