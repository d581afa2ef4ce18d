"""Epic: patients and visits are read in R4; a visit is booked by two STU3 operations, `$find` and
`$book`, at an address of their own.

No visit is changed in FHIR unless the server's statement says that it may be; a new time is then a
new visit, booked before the old one is cancelled, so that the patient never has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from emr.drivers import polling
from emr.drivers.answers import is_a, remote
from emr.drivers.asking import Asker, page_of
from emr.drivers.changing import LIVE, as_of, is_already
from emr.drivers.generic import GenericR4
from emr.drivers.recognizing import check_version, surely_ours, told
from emr.failures import Clash, NoSlot, NotOffered, Refused, TryLater, Unsure
from emr.fhir import instants
from emr.fhir.appointment import appointment
from emr.fhir.building import concept, filled, reference
from emr.fhir.checking import checked
from emr.kinds import Feature
from emr.transport import Reply
from emr.visits import Changes, Known, Remote, Slot, Step, Visit

Json = dict[str, Any]
LONGEST_NOTE = 255
# A statement of R4 and the operations of STU3 know a visit by one id.
_FIND, _BOOK = "Appointment/$find", "Appointment/$book"


class EpicScheduling(GenericR4):
    """`scheduling` asks the STU3 address; without one nothing can be booked."""

    def __init__(self, asker: Asker, *, scheduling: Asker | None, **more: Any) -> None:
        super().__init__(asker, **more)
        self._scheduling = scheduling
        if scheduling is None:
            self._features -= {Feature.BOOK, Feature.FIND_SLOTS, Feature.RESCHEDULE}
        self._looked: dict[tuple[datetime, datetime], list[Remote]] = {}

    def find_slots(self, visit: Visit) -> list[Slot]:
        """Return what `$find` proposes at the visit's time; the ids are those of proposals."""
        reply = self._operate(Feature.FIND_SLOTS, _FIND, self._wanted(visit), is_safe=True)
        proposals = [remote(one) for one in page_of(reply.body, "Appointment").resources]
        return [_slot(one) for one in proposals if _suits(one, visit)]

    def book(self, visit: Visit) -> Remote:
        self._need(Feature.BOOK)
        appointment(as_of(visit, Step.BOOK))
        fitting = [slot for slot in self.find_slots(visit) if slot.start == visit.start]
        if not fitting:
            raise NoSlot("no-slot")
        chosen = min(fitting, key=lambda slot: (slot.end != visit.end, slot.remote_id))
        asked = _booking(visit, chosen.remote_id)
        try:
            reply = self._operate(Feature.BOOK, _BOOK, asked)
        except (Clash, Refused) as error:
            if isinstance(error, Clash) or self._profile.taken & set(error.codes):
                raise NoSlot(*error.codes) from error
            raise
        return self._booked(reply, visit)

    def find(self, visit: Visit, *, since: datetime) -> Remote | None:
        self._need(Feature.SEARCH)
        return surely_ours(self._visits(visit), visit, since=since)

    def reschedule(self, visit: Visit, known: Known) -> Remote:
        """Book it anew and cancel the old one; asked again, it goes on where it stopped.

        Raises NotOffered where nothing can be cancelled: then both would stand.
        """
        self._need(Feature.RESCHEDULE)
        old = self.read(known.remote_id)
        if is_already(old, visit, Step.RESCHEDULE):
            return old
        new = self._moved(visit, old)
        if new is not None and old.status not in LIVE:
            return new
        check_version(old, known)
        new = new or self._book_surely(visit)
        self._change(visit, Known(old.remote_id, old.version_id), Step.CANCEL, Feature.CANCEL)
        return new

    def confirm(self, visit: Visit, known: Known) -> Remote:
        """Answer what is known: there is no word for it there, and nothing is asked."""
        return told(visit, known.remote_id, known.version_id)

    def visits_between(self, start: datetime, end: datetime, *, provider_id: str) -> list[Remote]:
        """Look through the patients who have visits with us in that window, and no others."""
        self._need(Feature.SEARCH)
        if (start, end) not in self._looked:
            self._looked[start, end] = list(self._of_patients(start, end))
        return [one for one in self._looked[start, end] if provider_id in one.provider_ids]

    def changes_since(self, cursor: Mapping[str, Any], *, now: datetime) -> Changes:
        self._need(Feature.POLL)
        return polling.by_looking(self._asker, cursor, whose="patient", ids=self._patients, now=now)

    def close(self) -> None:
        super().close()
        if self._scheduling is not None:
            self._scheduling.close()

    def _operate(
        self, feature: Feature, operation: str, asked: Json, *, is_safe: bool | None = None
    ) -> Reply:
        self._need(feature)
        if self._scheduling is None:
            raise NotOffered(feature.value)
        return self._scheduling.ask("POST", operation, json=checked(asked), is_safe=is_safe)

    def _wanted(self, visit: Visit) -> Json:
        return _parameters(
            {"name": "startTime", "valueDateTime": instants.utc(visit.start)},
            {"name": "endTime", "valueDateTime": instants.utc(visit.end)},
            _service(visit),
            _place(visit),
        )

    def _booked(self, reply: Reply, visit: Visit) -> Remote:
        """Return what `$book` booked; by its R4 id, as R4 has it where that can be read."""
        resources = page_of(reply.body, "Appointment").resources or (reply.body,)
        booked = next((one for one in resources if is_a("Appointment", one)), None)
        if booked is None:
            raise Unsure("no-id")
        remote_id = str(booked["id"])
        return self._as_read(remote_id, told(visit, remote_id))

    def _book_surely(self, visit: Visit) -> Remote:
        """Book; what is unsure is looked for by `reschedule` itself when it is asked again."""
        try:
            return self.book(visit)
        except Unsure as error:
            raise TryLater(*error.codes, after=timedelta(seconds=30)) from error

    def _moved(self, visit: Visit, old: Remote) -> Remote | None:
        """Return the visit that an earlier try booked at the new time."""
        found = (remote(one) for one in self._visits(visit))
        live = (one for one in found if one.status in LIVE and one.remote_id != old.remote_id)
        return next((one for one in live if _suits(one, visit)), None)

    def _visits(self, visit: Visit) -> Iterator[Mapping[str, Any]]:
        if not visit.patient.remote_id:
            return iter(())
        params = [("patient", visit.patient.remote_id), *polling.between(visit.start, visit.end)]
        return self._asker.found("Appointment", params)

    def _of_patients(self, start: datetime, end: datetime) -> Iterator[Remote]:
        for patient_id in self._patients(start, end):
            params = [("patient", patient_id), *polling.between(start, end)]
            for resource in self._asker.found("Appointment", params):
                found = remote(resource)
                if found.start is not None and start <= found.start < end:
                    yield found


def _suits(one: Remote, visit: Visit) -> bool:
    """Say whether a proposal or a visit is at the visit's start and of its provider."""
    known = visit.provider.remote_id
    return one.start == visit.start and (not known or known in one.provider_ids)


def _slot(one: Remote) -> Slot:
    if one.start is None or one.end is None:
        raise Refused("unreadable", "no-time")
    return Slot(remote_id=one.remote_id, start=one.start, end=one.end, raw=one.raw)


def _booking(visit: Visit, proposal: str) -> Json:
    note = visit.reason.strip()[:LONGEST_NOTE]
    return _parameters(
        {"name": "patient", "valueIdentifier": {"value": visit.patient.remote_id}},
        {"name": "appointment", "valueIdentifier": {"value": proposal}},
        {"name": "appointmentNote", "valueString": note} if note else {},
    )


def _service(visit: Visit) -> Json:
    if visit.code is None:
        return {}
    meant = concept(visit.code.system, visit.code.code, visit.code.display)
    return {"name": "serviceType", "valueCodeableConcept": meant}


def _place(visit: Visit) -> Json:
    if not visit.place.remote_id or visit.is_telehealth:
        return {}
    return {
        "name": "location-reference",
        "valueReference": reference("Location", visit.place.remote_id),
    }


def _parameters(*parameters: Json) -> Json:
    return filled({"resourceType": "Parameters", "parameter": list(parameters)})
