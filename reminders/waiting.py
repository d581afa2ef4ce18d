"""How many calls and texts wait for a clinic's desk, for the menu of every desk page.

Kept in the process for some seconds, so that hardly any page costs a statement for it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from providers.remembered import Remembered

KEPT_SECONDS = 20.0
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


def waiting_at(clinics: Collection[UUID]) -> Waiting:
    """Return what waits at these clinics, at most some seconds old."""
    return _counted(frozenset(clinics))


def forget() -> None:
    """Count anew: somebody has just done one of them."""
    _counted.forget()


def _count(clinics: frozenset[UUID]) -> Waiting:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, {"clinics": list(clinics)})
        return Waiting(*cursor.fetchone())


_counted = Remembered(_count, seconds=KEPT_SECONDS)
