"""Keeps the time of an opening for those whom it is offered to: one hold for each opening.

Only rows: the caller locks the calendar after them, and decides whether they may stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.range import Range

from scheduling.intervals import Interval
from scheduling.models import Opening, SlotHold, WaitlistOffer
from scheduling.models.hold import SlotHoldQuerySet
from scheduling.placing import Placement

# From an offer's end until the time is passed on nobody else gets in between.
HANDOVER = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)


def holder_of(opening: UUID) -> str:
    """Return in whose name an opening's time is kept."""
    return f"opening:{opening}"


def hold_of(opening: UUID) -> SlotHold | None:
    """Return the live hold of an opening, if its time is kept."""
    return _holds(opening).live().first()


def busy_of(offer: WaitlistOffer) -> Interval:
    """Return the provider's time that the offered visit takes, buffers included."""
    kind = offer.visit_type
    return Interval(
        offer.visit_start - kind.buffer_before_minutes * MINUTE,
        offer.visit_end + kind.buffer_after_minutes * MINUTE,
    )


def keep(
    opening: Opening,
    placement: Placement,
    *,
    until: datetime,
    live: Iterable[WaitlistOffer] = (),
) -> SlotHold:
    """Keep the time of a visit, and that of the `live` offers beside it, until an instant.

    An opening's hold stays the same row as long as it is there, so that whoever has just read it
    can still use it up.
    """
    taken = [placement.busy, *map(busy_of, live)]
    values = {
        "provider": placement.provider,
        "clinic": placement.clinic,
        "visit_type": placement.visit_type,
        "visit_start": placement.start,
        "visit_end": placement.end,
        "busy": Range(min(each.start for each in taken), max(each.end for each in taken)),
        "expires_at": until,
    }
    known = _holds(opening.pk).first()
    if known is not None and _holds(opening.pk).filter(pk=known.pk).update(**values):
        for name, value in values.items():
            setattr(known, name, value)
        return known
    return SlotHold.objects.create(
        **values, holder=holder_of(opening.pk), purpose=SlotHold.Purpose.OFFER
    )


def let_go(opening: UUID) -> tuple[UUID, ...]:
    """Stop keeping an opening's time; return the ids of the holds that there were."""
    known = tuple(_holds(opening).values_list("pk", flat=True))
    if known:
        SlotHold.objects.filter(pk__in=known).delete()
    return known


def _holds(opening: UUID) -> SlotHoldQuerySet:
    return SlotHold.objects.filter(holder=holder_of(opening), purpose=SlotHold.Purpose.OFFER)
