"""Fills the store ahead of those who will ask, and renews what is there before it runs out.

Decides only what is missing: how a block is worked out and when it may be stored is `filling`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from providers.models import VisitType
from scheduling import block_store
from scheduling.availability import filling, matching
from scheduling.blocks import timeline

TOGETHER = 500
# Nobody waits for this: a busy Redis is given longer than during a search.
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Warmed:
    """What was done for some providers; `last` is the last of them in the order of ids.

    Records: `filled` were missing and are there now, `renewed` were there and stay a day longer.
    """

    last: UUID
    providers: int
    filled: int
    renewed: int


def warm(*, days: int = 30, now: datetime, after: UUID | None = None) -> Iterator[Warmed]:
    """Warm the blocks of the days to come, some hundred providers at a time, in the order of ids.

    Goes on after the provider `after`. Ends early where there is no Redis, or none any more.
    """
    blocks = timeline.blocks_between(now, now + timedelta(days=days))
    grids = grids_in_use() if block_store.is_on() else []
    while block_store.is_on():
        matched = matching.after(after, count=TOGETHER)
        if not matched:
            return
        entries = matched.entries
        there = _there(entries, blocks)
        block_store.keep(there, seconds=SECONDS)
        renewed = len(there) if block_store.is_on() else 0
        for grid in grids:
            filling.records(matched, blocks, grid)
        after = UUID(bytes=entries[-1][:16])
        filled = len(_there(entries, blocks).keys() - there.keys())
        yield Warmed(after, len(entries), filled, renewed)


def grids_in_use() -> list[int]:
    """Return the grids that the visit types need, the coarsest first."""
    lengths = VisitType.objects.values_list(
        "minutes", "buffer_before_minutes", "buffer_after_minutes"
    )
    return sorted(
        {timeline.grid_for(length or 0 for length in row) for row in lengths.distinct()},
        reverse=True,
    )


def _there(entries: Sequence[bytes], blocks: Sequence[int]) -> dict[bytes, bytes]:
    """Return what the store has of these providers, on any grid: hours may need a finer one."""
    packed = b"".join(entries)
    keys = [
        key
        for grid in timeline.GRIDS
        for block in blocks
        for key in block_store.keys(packed, grid, block)
    ]
    values = zip(keys, block_store.fetch(keys), strict=True)
    return {key: value for key, value in values if value is not None}
