"""Any FHIR R4 server that does what the standard says; and what the vendors' drivers share.

A change reads what is there first, leaves alone what it does not mean, and goes out only against
the version that both sides last saw.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from emr.drivers import polling
from emr.drivers.answers import is_a, made, remote
from emr.drivers.asking import JSON_PATCH, Asker, Params, token
from emr.drivers.changing import LIVE, as_of, is_already, merged, patch
from emr.drivers.notes import Notes
from emr.drivers.people import People, query
from emr.drivers.recognizing import check_version, starting, told
from emr.failures import Clash, EMRError, NoSlot, NotFound, NotOffered, Refused
from emr.fhir import errors, instants
from emr.fhir.appointment import appointment, own_value
from emr.fhir.slot import read_slot
from emr.fhir.systems import OWN_SYSTEM
from emr.kinds import Feature
from emr.profiles import PUTS, features, offers
from emr.transport import Reply
from emr.visits import Candidate, Changes, Known, Note, Person, Remote, Slot, Step, Visit

Watched = Callable[[datetime, datetime], Sequence[str]]
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,60}")


def nobody(_start: datetime, _end: datetime) -> Sequence[str]:
    return ()


class GenericR4:
    """One server. `capability` is its CapabilityStatement; `practitioners` and `patients` name
    those there who have visits in a window, for servers that must be looked through."""

    def __init__(
        self,
        asker: Asker,
        *,
        capability: Mapping[str, Any],
        practitioners: Watched = nobody,
        patients: Watched = nobody,
    ) -> None:
        self._asker = asker
        self._profile = asker.profile
        self._features = features(asker.profile, capability)
        self._puts = offers(capability, PUTS)
        self._people = People(asker, capability)
        self._notes = Notes(asker, capability)
        self._practitioners, self._patients = practitioners, patients

    @property
    def features(self) -> frozenset[Feature]:
        return self._features

    def find_patient(self, person: Person) -> list[Candidate]:
        return self._people.find(person)

    def read_patient(self, remote_id: str) -> Candidate:
        return self._people.read(remote_id)

    def create_patient(self, person: Person) -> Candidate:
        return self._people.create(person)

    def write_note(self, note: Note) -> Known:
        return self._notes.write(note)

    def find_note(self, note: Note) -> Known | None:
        return self._notes.find(note)

    def find_slots(self, visit: Visit) -> list[Slot]:
        """Return the free slots of the provider's schedules that start within the visit."""
        self._need(Feature.FIND_SLOTS)
        if not visit.provider.remote_id:
            raise Refused("no-provider")
        actor = ("actor", f"Practitioner/{visit.provider.remote_id}")
        schedules = [str(one.get("id", "")) for one in self._asker.found("Schedule", [actor])]
        if not schedules:
            return []
        return self._slots(visit, [("schedule", ",".join(schedules)), ("status", "free")])

    def book(self, visit: Visit) -> Remote:
        """Make it, once however often it is asked where a create may be conditional."""
        self._need(Feature.BOOK)
        booked = as_of(visit, Step.BOOK)
        once = Feature.CONDITIONAL_CREATE in self._features
        headers = {"If-None-Exist": query("identifier", _mark(visit))} if once else {}
        ours = appointment(booked)
        try:
            reply = self._asker.ask("POST", "Appointment", json=ours, headers=headers)
        except Clash as error:
            raise NoSlot(*error.codes) from error
        return self._made(reply, booked)

    def find(self, visit: Visit, *, since: datetime) -> Remote | None:
        """Look by our identifier, which says more than any time."""
        del since
        self._need(Feature.SEARCH)
        hits = [remote(one) for one in self._asker.found("Appointment", self._marked(visit))]
        return min(hits, key=lambda one: (one.status not in LIVE, one.remote_id), default=None)

    def reschedule(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.RESCHEDULE, Feature.RESCHEDULE)

    def confirm(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.CONFIRM, Feature.CONFIRM)

    def arrive(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.ARRIVE, Feature.ARRIVE)

    def revert(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.REVERT, Feature.CANCEL)

    def complete(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.COMPLETE, Feature.COMPLETE)

    def cancel(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.CANCEL, Feature.CANCEL)

    def no_show(self, visit: Visit, known: Known) -> Remote:
        return self._change(visit, known, Step.NO_SHOW, Feature.NO_SHOW)

    def read(self, remote_id: str) -> Remote:
        self._need(Feature.READ)
        reply = self._asker.read("Appointment", remote_id)
        if not is_a("Appointment", reply.body):
            raise NotFound("not-an-appointment")
        return remote(reply.body, etag=reply.etag)

    def read_resource(self, resource_type: str, remote_id: str) -> Mapping[str, Any]:
        if not _TYPE.fullmatch(resource_type):
            raise Refused("no-such-type")
        return self._asker.read(resource_type, remote_id).body

    def visits_between(self, start: datetime, end: datetime, *, provider_id: str) -> list[Remote]:
        self._need(Feature.SEARCH)
        params = [("practitioner", provider_id), *polling.between(start, end)]
        return starting(self._asker.found("Appointment", params), start, end)

    def changes_since(self, cursor: Mapping[str, Any], *, now: datetime) -> Changes:
        self._need(Feature.POLL)
        return polling.by_last_updated(self._asker, cursor, now=now)

    def close(self) -> None:
        self._asker.close()

    def _need(self, feature: Feature) -> None:
        if feature not in self._features:
            raise NotOffered(feature.value)

    def _marked(self, visit: Visit) -> Params:
        return [("identifier", _mark(visit))]

    def _slots(self, visit: Visit, params: Params) -> list[Slot]:
        """Return the slots of a search that start within the visit, the earliest first."""
        window = [("start", f"ge{_at(visit.start)}"), ("start", f"lt{_at(visit.end)}")]
        try:
            found = [read_slot(one) for one in self._asker.found("Slot", [*params, *window])]
        except errors.Refused as error:
            raise Refused("unreadable", error.code) from None
        free = [slot for slot in found if slot.status == "free"]
        return sorted(free, key=lambda slot: (slot.start, slot.remote_id))

    def _made(self, reply: Reply, visit: Visit) -> Remote:
        """Return what a create made. That it was made stands, whether or not it can be read."""
        remote_id, version_id = made(reply, "Appointment")
        if is_a("Appointment", reply.body):
            return remote(reply.body, etag=reply.etag)
        return self._as_read(remote_id, told(visit, remote_id, version_id))

    def _as_read(self, remote_id: str, otherwise: Remote) -> Remote:
        """Read what was just written; where that fails, what was written is what is known."""
        try:
            return self.read(remote_id)
        except EMRError:
            return otherwise

    def _change(self, visit: Visit, known: Known, step: Step, feature: Feature) -> Remote:
        """Take one step. Raises Clash where it is another than was known, unless it stands so
        already."""
        self._need(feature)
        theirs = self.read(known.remote_id)
        after = as_of(visit, step)
        if is_already(theirs, after, step):
            return theirs
        check_version(theirs, known)
        return self._written(theirs, after, step)

    def _written(self, theirs: Remote, visit: Visit, step: Step) -> Remote:
        ours = appointment(visit, remote_id=theirs.remote_id, version_id=theirs.version_id)
        if self._puts:
            body: Any = merged(theirs.raw, ours, step)
            reply = self._write("PUT", theirs, body, {})
        else:
            body = patch(theirs.raw, ours, step)
            reply = self._write("PATCH", theirs, body, {"Content-Type": JSON_PATCH})
        return self._after(reply, theirs, ours)

    def _write(self, method: str, theirs: Remote, body: Any, headers: Mapping[str, str]) -> Reply:
        guard = {"If-Match": f'W/"{theirs.version_id}"'} if theirs.version_id else {}
        path = f"Appointment/{quote(theirs.remote_id, safe='')}"
        return self._asker.ask(method, path, json=body, headers={**headers, **guard})

    def _after(self, reply: Reply, theirs: Remote, ours: Mapping[str, Any]) -> Remote:
        """Return how it stands after a write, by the answer, else by reading it."""
        if is_a("Appointment", reply.body):
            return remote(reply.body, etag=reply.etag)
        written = replace(theirs, status=str(ours["status"]), version_id=reply.etag)
        return self._as_read(theirs.remote_id, written)


def _mark(visit: Visit) -> str:
    return token(OWN_SYSTEM, own_value(visit.id))


def _at(at: datetime) -> str:
    return instants.utc(at)
