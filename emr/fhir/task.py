"""Task: asks a provider to write a visit's note, where the other side takes no draft of one."""

from __future__ import annotations

from typing import Any

from emr.fhir import instants
from emr.fhir.building import filled, identifier, reference
from emr.fhir.checking import Invalid, checked
from emr.fhir.document import marked
from emr.fhir.systems import OWN_SYSTEM
from emr.visits import Note


def task(note: Note) -> dict[str, Any]:
    """Return an order to write a visit's note; it holds no word of the note. Raises Invalid."""
    if not note.visit.patient.remote_id:
        raise Invalid("no-patient")
    return checked(
        filled(
            {
                "resourceType": "Task",
                "identifier": [identifier(OWN_SYSTEM, marked(note.marker))],
                "status": "requested",
                "intent": "order",
                "priority": "routine",
                "code": {"text": "Write the note of the visit"},
                "description": note.visit.type_label,
                "focus": reference("Appointment", note.appointment.remote_id),
                "for": reference("Patient", note.visit.patient.remote_id),
                "authoredOn": instants.utc(note.written_at),
                "owner": reference("Practitioner", note.author.remote_id),
            }
        )
    )
