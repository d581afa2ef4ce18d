"""How many gaps are open at a clinic, for the menu of every desk page.

Kept in the process for some seconds, so that hardly any page costs a statement for it.
"""

from __future__ import annotations

from time import monotonic
from uuid import UUID

from django.utils import timezone

from scheduling.models import Opening

KEPT_SECONDS = 20.0
MOST_KEPT = 1_024

_kept: dict[UUID, tuple[float, int]] = {}


def open_gaps_at(clinic: UUID) -> int:
    """Return how many gaps are open there and to come, at most some seconds old."""
    known, now = _kept.get(clinic), monotonic()
    if known is not None and now - known[0] < KEPT_SECONDS:
        return known[1]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    open_ones = Opening.objects.filter(clinic=clinic, state=Opening.State.OPEN)
    found = open_ones.filter(span__endswith__gt=timezone.now()).count()
    _kept[clinic] = (now, found)
    return found


def forget() -> None:
    """Count anew: somebody has just opened or ended one."""
    _kept.clear()
