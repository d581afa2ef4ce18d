"""One patient, one provider, one visit, and a record system that knows both people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from emr.drivers.base import Driver
from emr.drivers.opening import opened
from emr.failures import Unsure
from emr.models import EMRConnection
from emr.visits import Code, Known, Note, Party, Person, Remote, Visit
from providers.models import Clinic
from scheduling.transitions import Status
from tests.emr.peers import Peer
from tests.emr.peers.cast import SERVICE
from tests.factories.emr import connection_to

START = datetime(2031, 3, 3, 15, 0, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
MRN = "urn:oid:1.2.3.4"


@dataclass
class Scene:
    """What both sides have before anything is told. `slot` is the free time at START."""

    peer: Peer
    connection: EMRConnection
    driver: Driver
    visit: Visit
    practitioner: str
    location: str
    slot: str

    @property
    def patient(self) -> str:
        return self.visit.patient.remote_id

    def booked(self) -> tuple[Remote, Known]:
        """Book the visit; answers it and how it is known from now on."""
        remote = self.driver.book(self.visit)
        return remote, known(remote)

    def slot_at(self, start: datetime, **columns: Any) -> str:
        return self.peer.add_slot(
            start=start, practitioner=self.practitioner, location=self.location, **columns
        )

    def there(self, remote_id: str) -> dict[str, Any]:
        return self.peer.store.read("Appointment", remote_id)


@contextmanager
def scene(peer: Peer, clinic: Clinic, **columns: Any) -> Iterator[Scene]:
    connection = connection_to(peer, clinic, **columns)
    patient, practitioner = peer.add_patient(), peer.add_practitioner()
    location = peer.add_location()
    slot = peer.add_slot(start=START, practitioner=practitioner, location=location)
    visit = visit_of(patient, practitioner, location)
    with opened(connection) as driver:
        yield Scene(peer, connection, driver, visit, practitioner, location, slot)


def visit_of(patient: str, practitioner: str, location: str = "", **rest: Any) -> Visit:
    now = datetime.now(UTC)
    told: dict[str, Any] = {
        "id": uuid4(),
        "reference": "ABC-123",
        "status": Status.SCHEDULED,
        "start": START,
        "end": START + HALF_AN_HOUR,
        "patient": Party(remote_id=patient),
        "provider": Party(remote_id=practitioner),
        "place": Party(remote_id=location),
        "type_code": "FOLLOW_UP",
        "type_label": "Follow-up",
        "code": Code(*SERVICE),
        "reason": "A cough",
        "changed_at": now,
        "created_at": now,
    }
    return Visit(**(told | rest))


def known(remote: Remote) -> Known:
    return Known(remote.remote_id, remote.version_id)


def later(visit: Visit, hours: float = 1, **rest: Any) -> Visit:
    """Return the visit moved by so many hours."""
    by = timedelta(hours=hours)
    return replace(visit, start=visit.start + by, end=visit.end + by, **rest)


def cancelled(visit: Visit) -> Visit:
    return replace(
        visit,
        status=Status.CANCELLED,
        cancel_code="PATIENT_REQUEST",
        cancel_reason="The patient asked",
    )


def person(**rest: Any) -> Person:
    told: dict[str, Any] = {
        "id": UUID(int=7),
        "given": "Ada",
        "family": "Moreno",
        "dob": date(1984, 2, 29),
    }
    return Person(**(told | rest))


def note_of(visit: Visit, appointment: Known, **rest: Any) -> Note:
    told: dict[str, Any] = {
        "marker": str(uuid4()),
        "visit": visit,
        "appointment": appointment,
        "text": "Draft.",
        "author": visit.provider,
        "written_at": datetime.now(UTC),
    }
    return Note(**(told | rest))


def books_blindly(driver: Driver, visit: Visit) -> None:
    """Book, and hear nothing of it."""
    try:
        driver.book(visit)
    except Unsure:
        return
    raise AssertionError("the answer was to be lost")
