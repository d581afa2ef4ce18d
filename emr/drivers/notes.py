"""Writes the one draft note of a visit, and finds it again when nobody said that it arrived.

A DocumentReference where that is taken, else a Task that asks the provider to write the note.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emr.drivers.answers import made
from emr.drivers.asking import Asker, Params, token
from emr.drivers.recognizing import SKEW
from emr.failures import NotOffered
from emr.fhir import instants
from emr.fhir.document import marked
from emr.fhir.document import note as document_of
from emr.fhir.references import ids_of
from emr.fhir.systems import OWN_SYSTEM
from emr.fhir.task import task as task_of
from emr.fhir.tolerant import items, part
from emr.kinds import Feature
from emr.profiles import DOCUMENTS, Need, features, offers
from emr.visits import Known, Note


class Notes:
    """The notes of one server. `capability` is its CapabilityStatement."""

    def __init__(self, asker: Asker, capability: Mapping[str, Any]) -> None:
        self._asker = asker
        self._may = Feature.NOTE in features(asker.profile, capability)
        self._takes_documents = offers(capability, DOCUMENTS)
        searches = Need(self._kind, ("search-type",))
        self._searches = offers(capability, searches)

    def write(self, note: Note) -> Known:
        """Raises NotOffered, also where the author is nobody whom the other side knows; Unsure."""
        if not self._may:
            raise NotOffered(Feature.NOTE.value)
        if self._takes_documents and not note.author.remote_id:
            raise NotOffered("no-author")
        resource = document_of(note) if self._takes_documents else task_of(note)
        reply = self._asker.ask("POST", self._kind, json=resource)
        return Known(*made(reply, self._kind))

    def find(self, note: Note) -> Known | None:
        """Return the note that bears our mark, or is a draft about this visit written since.

        Raises NotOffered where nothing can be searched.
        """
        if not self._searches:
            raise NotOffered(Feature.SEARCH.value)
        for resource in self._asker.found(self._kind, self._params(note)):
            if _bears(resource, note) or self._is_drafted(resource, note):
                version = part(resource.get("meta")).get("versionId")
                return Known(str(resource["id"]), str(version or ""))
        return None

    @property
    def _kind(self) -> str:
        return "DocumentReference" if self._takes_documents else "Task"

    def _params(self, note: Note) -> Params:
        """Ask by our mark where it is kept, else for the patient's notes of the time."""
        if self._asker.profile.keeps_identifiers:
            return [("identifier", token(OWN_SYSTEM, marked(note.marker)))]
        return [
            ("patient", note.visit.patient.remote_id),
            ("date", f"ge{instants.utc(note.written_at - SKEW)}"),
        ]

    def _is_drafted(self, resource: Mapping[str, Any], note: Note) -> bool:
        """Say whether it is a draft about this visit, where our mark is not kept."""
        if self._asker.profile.keeps_identifiers:
            return False
        about = ids_of(items(part(resource.get("context")).get("related")), "Appointment")
        is_draft = resource.get("docStatus") == "preliminary"
        return is_draft and note.appointment.remote_id in about


def _bears(resource: Mapping[str, Any], note: Note) -> bool:
    marks = [part(resource.get("masterIdentifier")), *items(resource.get("identifier"))]
    return any(mark.get("value") == marked(note.marker) for mark in marks)
