"""How many calls and texts wait for a clinic's desk, for the menu of every desk page.

Kept in the process for some seconds, so that a page costs no statement for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Now

from reminders.models import CallItem, InboundText

KEPT_SECONDS = 20.0
MOST_KEPT = 1_024


@dataclass(frozen=True, slots=True)
class Waiting:
    """`calls` counts visits to call about, `texts` those that only a person can answer."""

    calls: int
    texts: int


_kept: dict[frozenset[UUID], tuple[float, Waiting]] = {}


def waiting_at(clinics: Collection[UUID]) -> Waiting:
    """Return what waits at these clinics, at most some seconds old."""
    key, now = frozenset(clinics), monotonic()
    known = _kept.get(key)
    if known is not None and now - known[0] < KEPT_SECONDS:
        return known[1]
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[key] = (now, found := _count(key))
    return found


def forget() -> None:
    """Count anew: somebody has just done one of them."""
    _kept.clear()


def _count(clinics: Collection[UUID]) -> Waiting:
    calls = CallItem.objects.filter(
        clinic__in=clinics, closed_at=None, appointment__scheduled_start__gt=Now()
    ).aggregate(visits=Count("appointment", distinct=True))
    texts = InboundText.objects.waiting().filter(clinic__in=clinics).count()
    return Waiting(calls["visits"], texts)
