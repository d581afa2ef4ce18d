"""DocumentReference: the draft note of a visit, for its provider to look over and sign there."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from emr.fhir import instants
from emr.fhir.building import concept, filled, identifier, reference
from emr.fhir.checking import Invalid, checked
from emr.fhir.systems import LOINC, NOTE_CATEGORIES, OWN_SYSTEM
from emr.visits import Note

CONTENT_TYPE = "text/plain; charset=utf-8"
_KIND = concept(LOINC, "11506-3", "Progress note", text="Progress note")
_CATEGORY = concept(NOTE_CATEGORIES, "clinical-note", "Clinical Note")


def marked(marker: str) -> str:
    """Return the identifier's value by which a note is found again."""
    return f"urn:uuid:{UUID(marker)}"


def note(note: Note) -> dict[str, Any]:
    """Return a preliminary progress note about a visit. Raises Invalid.

    The visit's patient and its author are known at the other side, or it cannot be filed.
    """
    if not (note.visit.patient.remote_id and note.author.remote_id):
        raise Invalid("no-patient" if not note.visit.patient.remote_id else "no-author")
    mark = identifier(OWN_SYSTEM, marked(note.marker))
    written_at = instants.utc(note.written_at)
    return checked(
        filled(
            {
                "resourceType": "DocumentReference",
                "masterIdentifier": mark,
                "identifier": [mark],
                "status": "current",
                "docStatus": "preliminary",
                "type": _KIND,
                "category": [_CATEGORY],
                "subject": reference("Patient", note.visit.patient.remote_id),
                "date": written_at,
                "author": [
                    reference("Practitioner", note.author.remote_id, display=note.author.name)
                ],
                "description": note.visit.type_label,
                "content": [{"attachment": _attachment(note, written_at)}],
                "context": {
                    "period": {
                        "start": instants.utc(note.visit.start),
                        "end": instants.utc(note.visit.end),
                    },
                    "related": [reference("Appointment", note.appointment.remote_id)],
                },
            }
        )
    )


def _attachment(note: Note, written_at: str) -> dict[str, Any]:
    return {
        "contentType": CONTENT_TYPE,
        "data": base64.b64encode(note.text.encode()).decode("ascii"),
        "title": note.visit.type_label,
        "creation": written_at,
    }
