"""Gets providers' blocks: from the store where it has them, else from the rows, all at once.

What the store has under a calendar's stamp is what the rows said while that stamp held. A record
is therefore stored only if the stamp that was read together with the rows is the one in its key;
and never from inside a transaction, which may see what nobody else ever will.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from django.db import connection

from scheduling import block_store
from scheduling.availability import rows
from scheduling.availability.matching import Matched
from scheduling.availability.rows import Rows
from scheduling.blocks import timeline
from scheduling.blocks.records import POINTER, Minutes, build, finer
from scheduling.models import Appointment

Records = dict[int, list[bytes | None]]
Spot = tuple[int, int]  # a block, and a provider's number
Fresh = dict[Spot, list[tuple[int, bytes]]]  # with the grid of each record


def records(
    matched: Matched, blocks: Collection[int], grid: int, *, moving: Appointment | None = None
) -> dict[int, list[bytes]]:
    """Return these blocks of all the providers, in the order of `matched`.

    Who needs a finer grid has records on that one. `moving` is a visit that takes no time, and
    whose own start is not offered: its provider's blocks are read from the rows and not stored.
    """
    shelf = _Shelf(matched, without=None if moving is None else moving.provider_id)
    known = shelf.fetch(blocks, grid)
    missing = [
        (block, number)
        for block, some in known.items()
        if None in some
        for number, record in enumerate(some)
        if record is None
    ]
    if missing:
        fresh, stamps = _computed(matched, shelf.entries, missing, grid, moving)
        shelf.keep(fresh, stamps)
        for block, number in missing:
            known[block][number] = fresh[block, number][-1][1]
    return known  # type: ignore[return-value]


class _Shelf:
    """What the store has of some providers, under their calendars' stamps."""

    def __init__(self, matched: Matched, *, without: UUID | None) -> None:
        self.packed, self.entries = matched.packed, matched.entries
        self.is_open = block_store.is_on() and not connection.in_atomic_block
        self.without = None if without is None else without.bytes

    def fetch(self, blocks: Collection[int], grid: int) -> Records:
        """Ask for all blocks in one go, and once more for those who need a finer grid."""
        if not self.is_open:
            return {block: [None] * len(self.entries) for block in blocks}
        every = block_store.fetch(
            [key for block in blocks for key in block_store.keys(self.packed, grid, block)]
        )
        size = len(self.entries)
        found = {
            block: every[place * size : (place + 1) * size] for place, block in enumerate(blocks)
        }
        self._point(found, grid)
        if self.without is not None:
            self._leave_out(found)
        return found

    def _leave_out(self, found: Records) -> None:
        for number, entry in enumerate(self.entries):
            if entry[:16] == self.without:
                for some in found.values():
                    some[number] = None

    def _point(self, found: Records, grid: int) -> None:
        """Put in the place of records that only name a finer grid what is known on that one."""
        spots = [
            (block, number, needed)
            for block, some in found.items()
            if POINTER in map(len, filter(None, some))
            for number, record in enumerate(some)
            if record and len(record) == POINTER and (needed := finer(record, grid))
        ]
        keys = [block_store.keys(self.entries[n], needed, block)[0] for block, n, needed in spots]
        for (block, number, _grid), record in zip(spots, block_store.fetch(keys), strict=True):
            found[block][number] = record

    def keep(self, fresh: Fresh, stamps: Mapping[UUID, bytes]) -> None:
        """Store what was worked out, where the stamps with the rows are those of the keys."""
        if not self.is_open:
            return
        block_store.keep(
            {
                block_store.keys(self.entries[number], grid, block)[0]: record
                for (block, number), some in fresh.items()
                if self._may_keep(self.entries[number], stamps)
                for grid, record in some
            }
        )

    def _may_keep(self, entry: bytes, stamps: Mapping[UUID, bytes]) -> bool:
        return entry[:16] != self.without and is_still(entry, stamps)


def is_still(entry: bytes, stamps: Mapping[UUID, bytes]) -> bool:
    """Say whether a provider's stamp is the one that the search began with."""
    return stamps.get(UUID(bytes=entry[:16])) == entry[16:]


def _computed(
    matched: Matched,
    entries: Sequence[bytes],
    missing: Collection[Spot],
    grid: int,
    moving: Appointment | None,
) -> tuple[Fresh, Mapping[UUID, bytes]]:
    """Work out the missing records from the rows, with the stamps that came with the rows.

    There are two where the hours need a finer grid: the one that says so, and then the real one.
    """
    ids = {number: UUID(bytes=entries[number][:16]) for _block, number in missing}
    found = rows.read(
        list(ids.values()),
        begin=timeline.origin(min(block for block, _number in missing)),
        end=timeline.origin(max(block for block, _number in missing)) + timeline.SPAN,
        clock=matched.clock,
        ignore=None if moving is None else moving.pk,
    )
    book = _Book(found, moving)
    fresh: Fresh = {}
    for block, number in missing:
        record = book.record(block, ids[number], grid)
        fresh[block, number] = [(grid, record)]
        if needed := finer(record, grid):
            fresh[block, number].append((needed, book.record(block, ids[number], needed)))
    return fresh, found.stamps


class _Book:
    """Rows sorted by block, ready to be written down as records."""

    def __init__(self, found: Rows, moving: Appointment | None) -> None:
        self.found, self.moving = found, moving
        self.taken, self.away = _by_block(found.taken), _by_block(found.away)

    def record(self, block: int, whose: UUID, grid: int) -> bytes:
        moves = self.moving if self.moving and self.moving.provider_id == whose else None
        return build(
            block=block,
            grid=grid,
            windows=self.found.windows.get(whose, ()),
            taken=self.taken.get((block, whose), ()),
            away=self.away.get((block, whose), ()),
            closures=self.found.closures,
            holds=self.found.holds.get(whose, ()),
            except_start=None if moves is None else moves.scheduled_start,
        )


def _by_block(spans: Mapping[UUID, Iterable[Minutes]]) -> dict[tuple[int, UUID], list[Minutes]]:
    found: dict[tuple[int, UUID], list[Minutes]] = {}
    for whose, some in spans.items():
        for span in some:
            for block in timeline.blocks_touching(*span):
                found.setdefault((block, whose), []).append(span)
    return found
