"""How many calls and texts wait for a clinic's desk, for the menu of every desk page.

Kept in the process for some seconds, so that hardly any page costs a statement for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

from django.db import connection

KEPT_SECONDS = 20.0
MOST_KEPT = 1_024
COUNT = """
SELECT (SELECT count(DISTINCT call.appointment_id) FROM reminders_callitem AS call
        JOIN scheduling_appointment AS visit ON visit.id = call.appointment_id
        WHERE call.clinic_id = ANY(%(clinics)s) AND call.closed_at IS NULL
            AND visit.scheduled_start > now()),
    (SELECT count(*) FROM reminders_inboundtext
        WHERE clinic_id = ANY(%(clinics)s) AND needs_staff AND handled_at IS NULL)
"""


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
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"clinics": list(clinics)})
        return Waiting(*cursor.fetchone())
