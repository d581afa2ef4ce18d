"""Ends what nobody can wait for any more, and lets go of visits that are not to come.

Set by set, each clinic by its own calendar; what somebody else is changing waits for the next run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection

from patients.models.audit import Act
from patients.privacy import audit
from scheduling.models import WaitlistEntry
from scheduling.transactions import in_one_transaction, limit_waiting

SYSTEM = "system:waitlist"
PURPOSE = "waitlist"

EXPIRE = """
UPDATE scheduling_waitlistentry AS over SET status = 'EXPIRED', ended_at = %(now)s
FROM (
    SELECT entry.id FROM scheduling_waitlistentry AS entry
    JOIN providers_clinic AS clinic ON clinic.id = entry.clinic_id
    LEFT JOIN scheduling_appointment AS replaced ON replaced.id = entry.replaces_id
    WHERE entry.status IN ('WAITING', 'PAUSED') AND (
        entry.latest_date < (%(now)s AT TIME ZONE clinic.time_zone_id)::date
        OR (replaced.status <> 'CANCELLED' AND replaced.scheduled_start <= %(now)s))
    ORDER BY entry.id FOR NO KEY UPDATE OF entry SKIP LOCKED
) AS found
WHERE over.id = found.id
RETURNING over.id, over.clinic_id, over.patient_id
"""
LET_GO = """
UPDATE scheduling_waitlistentry AS kept SET replaces_id = NULL
FROM (
    SELECT entry.id FROM scheduling_waitlistentry AS entry
    JOIN scheduling_appointment AS replaced ON replaced.id = entry.replaces_id
    WHERE entry.status IN ('WAITING', 'PAUSED') AND replaced.status = 'CANCELLED'
        AND (replaced.undo_until IS NULL OR replaced.undo_until <= %(now)s)
    ORDER BY entry.id FOR NO KEY UPDATE OF entry SKIP LOCKED
) AS found
WHERE kept.id = found.id
RETURNING kept.id, kept.clinic_id, kept.patient_id
"""


@in_one_transaction
def expire(*, now: datetime) -> int:
    """End entries whose last day is over or whose visit has begun; return how many.

    An entry whose visit was cancelled for good waits on, for a visit of its own.
    """
    limit_waiting()
    ended = _run(EXPIRE, now)
    _record(ended, "status", "EXPIRED")
    _record(_run(LET_GO, now), "replaces", None)
    return len(ended)


def _run(statement: str, now: datetime) -> list[tuple[UUID, UUID, UUID]]:
    """Return each entry that was changed, with its clinic and its patient."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"now": now})
        rows: list[tuple[UUID, UUID, UUID]] = cursor.fetchall()
    return rows


def _record(rows: Iterable[tuple[UUID, UUID, UUID]], column: str, became: str | None) -> None:
    """Write into the audit what the statement did, past the signals that would have told of it."""
    audit.write_all(
        [
            audit.row_for(
                action=Act.UPDATE,
                patients=[patient],
                model=WaitlistEntry,
                pk=entry,
                fields=[column],
                system=SYSTEM,
            )
            | {"clinic": str(clinic), "purpose": PURPOSE, "changes": {column: [None, became]}}
            for entry, clinic, patient in rows
        ]
    )
