"""Decides how time is cut into blocks and cells. Knows no provider, no zone and no visit.

Busy time comes in whole minutes since 1970, UTC, as it is read by the million.

A block is seven days from a Monday 00:00 UTC, the same for every clinic: blocks of local days
would differ in length when the clocks change. What is known of a block reaches a little beyond it
on both sides, so that no visit that starts in it needs the block before or after.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

MINUTE = timedelta(minutes=1)
BLOCK = timedelta(days=7)
# The longest buffer before a visit, and the longest visit with the longest buffer after it.
BEFORE, AFTER = timedelta(hours=2), timedelta(hours=10)
GRIDS = (15, 5, 1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime(1970, 1, 5, tzinfo=UTC)
SPAN = BEFORE + BLOCK + AFTER


def block_of(instant: datetime) -> int:
    """Return the number of the block in which an instant lies."""
    return (instant - FIRST) // BLOCK


def begins(block: int) -> datetime:
    return FIRST + block * BLOCK


def origin(block: int) -> datetime:
    """Return the instant of a block's first cell, two hours before the block begins."""
    return begins(block) - BEFORE


def blocks_between(first: datetime, last: datetime) -> range:
    """Return the blocks that hold the instants from `first` to `last`, both included."""
    return range(block_of(first), block_of(last) + 1)


def cells(grid: int) -> int:
    """Return how many cells of `grid` minutes are known of a block."""
    return SPAN // (grid * MINUTE)


def width(grid: int) -> int:
    """Return the bytes that one bit for every cell takes: a whole number on every grid."""
    return cells(grid) // 8


def grid_for(minutes: Iterable[int]) -> int:
    """Return the coarsest grid, in minutes, on which all of these lengths are whole."""
    wanted = list(minutes)
    return next(grid for grid in GRIDS if not any(length % grid for length in wanted))


def grid_of(instants: Iterable[datetime], lengths: Iterable[int] = ()) -> int:
    """Return the coarsest grid on which these instants lie and these lengths are whole.

    The instants are whole minutes.
    """
    return grid_for({*lengths, *(minute_of(instant) - _FIRST for instant in instants)})


def minute_of(instant: datetime) -> int:
    """Return the minutes since 1970, rounded down."""
    return (instant - EPOCH) // MINUTE


def blocks_touching(start: int, end: int) -> range:
    """Return the blocks whose records know of the minutes from `start` to `end`."""
    return range((start - _AFTER - _FIRST) // _BLOCK, (end + _BEFORE - _FIRST - 1) // _BLOCK + 1)


def covered(block: int, grid: int, start: int, end: int) -> int:
    """Return the cells that the minutes [start, end) touch, as bits: busy time rounds outward."""
    zero = _FIRST + block * _BLOCK - _BEFORE
    first = max((start - zero) // grid, 0)
    last = min(-((zero - end) // grid), cells(grid))
    return _run(first, last)


def filled(block: int, grid: int, start: datetime, end: datetime) -> int:
    """Return the cells that lie wholly in [start, end), as bits; hours are rounded inward."""
    zero, cell = origin(block), grid * MINUTE
    first = max(-((zero - start) // cell), 0)
    last = min((end - zero) // cell, cells(grid))
    return _run(first, last)


def starting(block: int, grid: int, start: datetime, end: datetime) -> int:
    """Return the cells of the block itself that begin in [start, end), as bits."""
    zero, cell = origin(block), grid * MINUTE
    first = -((zero - max(start, begins(block))) // cell)
    last = -((zero - min(end, begins(block + 1))) // cell)
    return _run(first, last)


def at(block: int, grid: int, instant: datetime) -> int | None:
    """Return the number of the cell that begins at an instant; None if none of the block does."""
    number, rest = divmod(instant - origin(block), grid * MINUTE)
    return number if not rest and 0 <= number < cells(grid) else None


_FIRST = minute_of(FIRST)
_BEFORE, _BLOCK, _AFTER = (length // MINUTE for length in (BEFORE, BLOCK, AFTER))


def _run(first: int, last: int) -> int:
    return ((1 << (last - first)) - 1) << first if last > first else 0
