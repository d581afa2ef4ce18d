"""How many gaps are open at a clinic, for the menu of every desk page.

Kept in the process for some seconds, so that hardly any page costs a statement for it.
"""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from providers.remembered import Remembered
from scheduling.models import Opening

KEPT_SECONDS = 20.0


def open_gaps_at(clinic: UUID) -> int:
    """Return how many gaps are open there and to come, at most some seconds old."""
    return _counted(clinic)


def forget() -> None:
    """Count anew: somebody has just opened or ended one."""
    _counted.forget()


def _count(clinic: UUID) -> int:
    open_ones = Opening.objects.filter(clinic=clinic, state=Opening.State.OPEN)
    return open_ones.filter(span__endswith__gt=timezone.now()).count()


_counted = Remembered(_count, seconds=KEPT_SECONDS)
