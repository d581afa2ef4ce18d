"""Carries what is known of a provider's free time over a change, instead of working it out anew.

A change of which all is known turns the bits of the block it falls in; every other block is only
handed on to the calendar's new stamp. What was freed may still be taken by something else, so
those blocks are left for the next reader to work out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from struct import Struct
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from psycopg.types.range import Range

from providers.models import ProviderCalendar
from scheduling import block_store
from scheduling.blocks import timeline
from scheduling.blocks.records import Held, Minutes, finer, turned
from scheduling.models import SlotHold

AHEAD = timedelta(days=30)
STAMP = Struct(">q")


@dataclass(frozen=True, slots=True)
class Flip:
    """All that one transaction changed of one provider's free time; `dropped` are holds' ids."""

    taken: tuple[Minutes, ...] = ()
    freed: tuple[Minutes, ...] = ()
    held: tuple[Held, ...] = ()
    dropped: tuple[UUID, ...] = ()

    def touches(self, block: int) -> bool:
        """Say whether the block is one that can only be worked out anew."""
        return any(block in timeline.blocks_touching(*span) for span in self.freed)

    def blocks(self) -> set[int]:
        spans = [*self.taken, *((hold.start, hold.end) for hold in self.held)]
        return {block for span in spans for block in timeline.blocks_touching(*span)}


def after_commit(flips: Mapping[UUID, Flip], *, stamp: int) -> None:
    """Carry these providers' blocks over to `stamp`, once the transaction has committed.

    The transaction must have bumped with that stamp last, and changed nothing else of their time.
    """
    if block_store.is_on():
        transaction.on_commit(partial(_carry, dict(flips), stamp), robust=True)


def minutes(busy: Range[datetime]) -> Minutes:
    """Return busy time in whole minutes, rounded outward."""
    start, end = busy.lower, busy.upper
    if start is None or end is None:
        raise ValueError("busy time has two ends")
    return timeline.minute_of(start), -((timeline.EPOCH - end) // timeline.MINUTE)


def held(hold: SlotHold) -> Held:
    return Held(hold.pk, *minutes(hold.busy), hold.expires_at)


def _carry(flips: Mapping[UUID, Flip], stamp: int) -> None:
    """Nothing is done for a calendar that has moved on: its stamp is another one by now."""
    calendars = ProviderCalendar.objects.filter(provider__in=flips, stamp=stamp)
    for provider, before in calendars.values_list("provider", "previous_stamp"):
        if before is not None:
            _carry_one(provider, flips[provider], before, stamp)


def _carry_one(provider: UUID, flip: Flip, before: int, stamp: int) -> None:
    now = timezone.now()
    blocks = {*timeline.blocks_between(now, now + AHEAD), *flip.blocks()}
    wanted = [
        (grid, block)
        for grid in timeline.GRIDS
        for block in sorted(blocks)
        if not flip.touches(block)
    ]
    found = block_store.fetch(_keys(provider, before, wanted))
    new = zip(wanted, _keys(provider, stamp, wanted), found, strict=True)
    block_store.keep(
        {key: _turn(record, flip, grid, block) for (grid, block), key, record in new if record}
    )


def _keys(provider: UUID, stamp: int, wanted: Iterable[tuple[int, int]]) -> list[bytes]:
    packed = STAMP.pack(stamp)
    return [block_store.key(provider.bytes, packed, grid, block) for grid, block in wanted]


def _turn(record: bytes, flip: Flip, grid: int, block: int) -> bytes:
    if finer(record, grid):
        return record
    return turned(record, block=block, taken=flip.taken, held=flip.held, dropped=flip.dropped)
