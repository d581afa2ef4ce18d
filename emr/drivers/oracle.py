"""Oracle Health Millennium: a visit is booked into one of its slots and changed by JSON Patch.

It keeps no identifier of ours, answers a create with nothing but a Location, and leads from one
status to the next by its own table (`emr.profiles.ORACLE`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from emr.drivers import polling
from emr.drivers.asking import JSON_PATCH, token
from emr.drivers.changing import as_of, is_already
from emr.drivers.generic import GenericR4
from emr.drivers.recognizing import check_version, surely_ours, told
from emr.failures import Clash, NoSlot, NotOffered, Refused
from emr.fhir.appointment import appointment
from emr.fhir.references import ids_of
from emr.fhir.tolerant import items, part
from emr.kinds import Feature
from emr.transport import Reply
from emr.visits import Changes, Known, Remote, Slot, Step, Visit

Json = dict[str, Any]


class OracleMillennium(GenericR4):
    def find_slots(self, visit: Visit) -> list[Slot]:
        """Return the free slots of the visit's type and provider. Raises Refused for a type that
        has no code there."""
        self._need(Feature.FIND_SLOTS)
        if visit.code is None:
            raise Refused("no-code")
        service = token(visit.code.system, visit.code.code)
        found = self._slots(visit, [("service-type", service)])
        whose = {slot.schedule_id: self._practitioners_of(slot) for slot in found}
        return [slot for slot in found if visit.provider.remote_id in whose[slot.schedule_id]]

    def book(self, visit: Visit) -> Remote:
        self._need(Feature.BOOK)
        placed = as_of(replace(visit, slot_id=self._slot(visit).remote_id), Step.BOOK)
        body = self._short(appointment(placed))
        try:
            reply = self._asker.ask("POST", "Appointment", json=body)
        except Clash as error:
            raise NoSlot(*error.codes) from error
        return self._made(reply, placed)

    def find(self, visit: Visit, *, since: datetime) -> Remote | None:
        self._need(Feature.SEARCH)
        if not visit.patient.remote_id:
            return None
        params = [("patient", visit.patient.remote_id), *polling.between(visit.start, visit.end)]
        return surely_ours(self._asker.found("Appointment", params), visit, since=since)

    def reschedule(self, visit: Visit, known: Known) -> Remote:
        """Put it into the slot where the visit is now. Raises NoSlot, also where that was taken
        since it was found."""
        self._need(Feature.RESCHEDULE)
        theirs = self.read(known.remote_id)
        if is_already(theirs, visit, Step.RESCHEDULE):
            return theirs
        check_version(theirs, known)
        slot = self._slot(visit)
        value = [{"reference": f"Slot/{slot.remote_id}"}]
        try:
            reply = self._patch(theirs, [_put(theirs, "slot", value)])
        except Clash as error:
            check_version(self.read(known.remote_id), Known(theirs.remote_id, theirs.version_id))
            raise NoSlot(*error.codes) from error
        moved = replace(told(visit, theirs.remote_id), status=theirs.status)
        return self._patched(reply, moved)

    def confirm(self, visit: Visit, known: Known) -> Remote:
        """Answer what is known: there is no word for it there, and nothing is asked."""
        return told(visit, known.remote_id, known.version_id)

    def revert(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.REVERT, Feature.CANCEL)

    def changes_since(self, cursor: Mapping[str, Any], *, now: datetime) -> Changes:
        self._need(Feature.POLL)
        return polling.by_looking(
            self._asker, cursor, whose="practitioner", ids=self._practitioners, now=now
        )

    def _written(self, theirs: Remote, visit: Visit, step: Step) -> Remote:
        """Go from status to status as far as the step wants. Raises NotOffered for no way."""
        ours = appointment(visit, remote_id=theirs.remote_id)
        way = self._profile.way(theirs.status, str(ours["status"]))
        if way is None:
            raise NotOffered(step.value, theirs.status)
        for status in way:
            operations = [_put(theirs, "status", status)]
            if status == ours["status"] and "cancelationReason" in ours:
                operations.append(_put(theirs, "cancelationReason", ours["cancelationReason"]))
            reply = self._patch(theirs, operations)
            theirs = self._patched(reply, replace(theirs, status=status))
        return theirs

    def _patch(self, theirs: Remote, operations: list[Json]) -> Reply:
        return self._write("PATCH", theirs, operations, {"Content-Type": JSON_PATCH})

    def _patched(self, reply: Reply, otherwise: Remote) -> Remote:
        return self._as_read(otherwise.remote_id, replace(otherwise, version_id=reply.etag))

    def _slot(self, visit: Visit) -> Slot:
        """Return the free slot at the visit's start, best one of its length. Raises NoSlot."""
        fitting = [slot for slot in self.find_slots(visit) if slot.start == visit.start]
        if not fitting:
            raise NoSlot("no-slot")
        return min(fitting, key=lambda slot: (slot.end != visit.end, slot.remote_id))

    def _practitioners_of(self, slot: Slot) -> tuple[str, ...]:
        schedule = self._asker.read("Schedule", slot.schedule_id).body
        return ids_of(items(schedule.get("actor")), "Practitioner")

    def _short(self, ours: Json) -> Json:
        """Keep what a create may bear there: the patient alone, without a role, and one reason."""
        kept: Json = {name: ours[name] for name in self._profile.kept if name in ours}
        patient = [who for who in items(ours["participant"]) if ids_of([who["actor"]], "Patient")]
        kept["participant"] = [{"actor": who["actor"], "status": "accepted"} for who in patient]
        if "reasonCode" in kept:
            said = str(part(kept["reasonCode"]).get("text", ""))
            kept["reasonCode"] = [{"text": said[: self._profile.reason_at_most]}]
        return kept


def _put(theirs: Remote, element: str, value: Any) -> Json:
    op = "replace" if element in theirs.raw else "add"
    return {"op": op, "path": f"/{element}", "value": value}
