"""What the audit is told of appointments: one row for each booking or change, in its transaction.

A booking's row is written by the database's own booking function, every other one here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from patients.models.audit import Act
from patients.privacy import audit
from scheduling.actors import Actor, ActorKind
from scheduling.changes import Change
from scheduling.models import Appointment

BOOKED = ("scheduled_start", "provider", "reason_for_visit", "care_relationship")
MOVED = ("scheduled_start", "provider", "status", "care_relationship")


def row_of_booking(appointments: Sequence[Appointment], *, by: Actor) -> dict[str, Any]:
    """Return the audit's row of new appointments, all of one patient's, for `daysheet_book`."""
    first = appointments[0]
    row = _row(Act.CREATE, first, BOOKED, by)
    visits = {"visits": [str(visit.pk) for visit in appointments]}
    return row | {"changes": visits if len(appointments) > 1 else None}


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Write one row for each visit that was moved, confirmed, cancelled or otherwise changed."""
    for change in changes:
        if change.before is None:
            continue
        visit, before = change.appointment, change.before
        values = {
            "status": [str(before.status), str(visit.status)],
            "scheduled_start": [before.start.isoformat(), visit.scheduled_start.isoformat()],
            "provider": [str(before.provider_id), str(visit.provider_id)],
        }
        differs = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        names = MOVED if change.kind == "MOVE" else tuple(differs)
        row = _row(Act.UPDATE, visit, names, change.by)
        audit.write(row | {"changes": {"kind": [None, str(change.kind)], **differs}})


def _row(act: Act, visit: Appointment, names: Sequence[str], by: Actor) -> dict[str, Any]:
    """Return a row by whoever acts; a patient who came by a link is the request's own visitor."""
    row = audit.row_for(
        action=act,
        patients=[visit.patient_id],
        model=Appointment,
        pk=visit.pk,
        fields=names,
        by=by.user_id,
        system=f"system:{by.name or 'scheduling'}" if by.kind is ActorKind.SYSTEM else "",
    )
    return row | {"clinic": str(visit.clinic_id), "repr": str(visit)}
