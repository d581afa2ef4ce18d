"""HL7 v2 over MLLP: a visit is told, and acknowledged; nothing can be asked, searched or read.

Whether a message arrived is known by its acknowledgement alone, so one that is not answered is sent
again under the same control id, by which the other side knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from emr.drivers.turns import Turns
from emr.failures import BeingEdited, EMRError, NotOffered, Refused, TryLater, Unauthorized, Unsure
from emr.hl7v2 import errors, messages
from emr.hl7v2.acks import Ack, read_ack
from emr.hl7v2.codes import fhir_status_of
from emr.hl7v2.parsing import decoded, encoded
from emr.hl7v2.parts import Wire
from emr.kinds import Feature
from emr.mllp.client import Line
from emr.mllp.tls import client_context, is_this_machine
from emr.models import EMRConnection
from emr.visits import Candidate, Changes, Known, Note, Person, Remote, Slot, Step, Visit

SOON = timedelta(seconds=30)
_TOLD = frozenset(
    {
        Feature.FIND_PATIENT,
        Feature.CREATE_PATIENT,
        Feature.BOOK,
        Feature.RESCHEDULE,
        Feature.CONFIRM,
        Feature.ARRIVE,
        Feature.COMPLETE,
        Feature.CANCEL,
        Feature.NO_SHOW,
        Feature.NOTE,
    }
)


class HL7v2SIU:
    """One connection, kept open; messages of several threads go one after the other.

    Raises Unauthorized where it would have to speak plainly to another machine, or its certificates
    cannot be read.
    """

    def __init__(self, connection: EMRConnection) -> None:
        self._source = connection.source_system
        self._wire = wire_of(connection)
        self._line = _line(connection)
        self._turns = Turns(connection)

    @property
    def features(self) -> frozenset[Feature]:
        return _TOLD

    def find_patient(self, person: Person) -> list[Candidate]:
        """Return the number that this system itself gave the person, if it is on file: nobody can
        be asked."""
        numbers = [value for system, value in person.identifiers if system == self._source]
        return [_candidate(person, number) for number in dict.fromkeys(numbers)]

    def create_patient(self, person: Person) -> Candidate:
        """Know the person by our own number, which goes along with every visit. Nothing is sent."""
        return _candidate(person, person.id.hex)

    def book(self, visit: Visit) -> Remote:
        return self._tell(Step.BOOK, visit, None)

    def reschedule(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.RESCHEDULE, visit, known)

    def confirm(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.CONFIRM, visit, known)

    def arrive(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.ARRIVE, visit, known)

    def revert(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.REVERT, visit, known)

    def complete(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.COMPLETE, visit, known)

    def cancel(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.CANCEL, visit, known)

    def no_show(self, visit: Visit, known: Known) -> Remote:
        return self._tell(Step.NO_SHOW, visit, known)

    def write_note(self, note: Note) -> Known:
        self._send(messages.mdm(note, settings=self._wire, now=timezone.now()))
        return Known(note.marker)

    def read_patient(self, remote_id: str) -> Candidate:
        raise NotOffered("read-patient")

    def find_slots(self, visit: Visit) -> list[Slot]:
        raise NotOffered("find-slots")

    def find(self, visit: Visit, *, since: datetime) -> Remote | None:
        raise NotOffered("find")

    def read(self, remote_id: str) -> Remote:
        raise NotOffered("read")

    def read_resource(self, resource_type: str, remote_id: str) -> Mapping[str, Any]:
        raise NotOffered("read")

    def visits_between(self, start: datetime, end: datetime, *, provider_id: str) -> list[Remote]:
        raise NotOffered("search")

    def changes_since(self, cursor: Mapping[str, Any], *, now: datetime) -> Changes:
        raise NotOffered("poll")

    def find_note(self, note: Note) -> Known | None:
        raise NotOffered("find-note")

    def close(self) -> None:
        self._line.close()

    def _tell(self, step: Step, visit: Visit, known: Known | None) -> Remote:
        remote_id = known.remote_id if known else ""
        filler = "" if remote_id == visit.id.hex else remote_id
        text = messages.siu(visit, step, filler=filler, settings=self._wire, now=timezone.now())
        self._send(text)
        return Remote(
            remote_id=remote_id or visit.id.hex,
            status=fhir_status_of(visit.status, has_arrived=visit.has_arrived),
            start=visit.start,
            end=visit.end,
            patient_id=visit.patient.remote_id,
            provider_ids=(visit.provider.remote_id,) if visit.provider.remote_id else (),
        )

    def _send(self, text: str) -> None:
        """Send a message in turn. Raises what its acknowledgement says."""
        with self._turns.taken():
            self._exchange(text)

    def _exchange(self, text: str) -> None:
        """Raises as `_send`, and Unsure where an acknowledgement is of another message."""
        answer = self._line.exchange(encoded(text))
        try:
            ack = read_ack(decoded(answer))
        except Refused:
            self._line.close()
            raise Unsure("no-ack", "unreadable") from None
        if ack.control_id != messages.control_id_of(text):
            self._line.close()
            raise Unsure("no-ack", "of-another")
        if not ack.is_taken:
            raise _failure(ack)


def wire_of(connection: EMRConnection) -> Wire:
    """Return how a connection is written to."""
    return Wire(
        version=connection.hl7_version,
        zone=zone_of(connection),
        here=connection.hl7_here,
        there=connection.hl7_there,
    )


def zone_of(connection: EMRConnection) -> tzinfo:
    """Return whose clock the other side means by a time without an offset."""
    named = connection.hl7_zone_id
    return ZoneInfo(named) if named else connection.clinic.zone


def _line(connection: EMRConnection) -> Line:
    if not connection.hl7_tls and not is_this_machine(connection.hl7_host):
        raise Unauthorized("no-tls")
    try:
        tls = client_context() if connection.hl7_tls else None
    except OSError as error:
        raise Unauthorized("certificates", type(error).__name__) from None
    return Line(
        connection.hl7_host,
        connection.hl7_port or 0,
        timeout=connection.timeout_seconds,
        tls=tls,
    )


def _failure(ack: Ack) -> EMRError:
    """Say whether a message that was not taken may be sent again as it is."""
    codes = (ack.code, *ack.error_codes)
    if errors.LOCKED in ack.error_codes:
        return BeingEdited(*codes, after=SOON)
    if errors.OUR_FAULT in ack.error_codes and ack.code in {"AE", "CE"}:
        return TryLater(*codes)
    return Refused(*codes)


def _candidate(person: Person, number: str) -> Candidate:
    """Return a person under a number of theirs, as a FHIR Patient would say it."""
    raw = {
        "resourceType": "Patient",
        "id": number,
        "identifier": [{"value": number, "type": {"coding": [{"code": "MR"}]}}],
        "name": [{"use": "official", "family": person.family, "given": [person.given]}],
        "birthDate": person.dob.isoformat() if person.dob else "",
        "gender": person.sex,
    }
    return Candidate(remote_id=number, is_certain=True, raw=raw)
