"""A clinic joined to a record system on this machine, and a patient whom both know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from emr import arrivals
from emr.inbox import taking
from emr.kinds import Source
from emr.models import EMRConnection, EMRLink, EMRTask, InboundMessage, SyncConflict
from emr.outbox.visits import standing_of
from emr.visits import Told
from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.emr.peers import Peer
from tests.factories import PatientFactory
from tests.factories.emr import connection_to, link_to
from tests.factories.times import at, next_monday


@dataclass
class Joined:
    """Both sides of one connection. `tell` has the other side tell something, and it is taken."""

    connection: EMRConnection
    peer: Peer
    provider: Provider
    patient: Patient
    visit_type: VisitType
    desk: Actor
    now: datetime
    patient_there: str = ""
    told: list[InboundMessage] = field(default_factory=list)

    @property
    def provider_there(self) -> str:
        link = EMRLink.objects.get(
            source_system=self.connection.source_system, local_id=self.provider.pk
        )
        return link.resource_id

    def clock(self, at_what: str = "10:00", *, weeks: int = 1) -> datetime:
        return at(next_monday(weeks), at_what)

    def add(self, start: datetime, **columns: Any) -> str:
        """Somebody there books a visit of the patient with the provider."""
        wanted = {"patient": self.patient_there, "practitioner": self.provider_there}
        return self.peer.add_appointment(start=start, **(wanted | columns))

    def move(self, remote_id: str, start: datetime, **columns: Any) -> str:
        end = start + timedelta(minutes=30)
        times = {"start": start.isoformat(), "end": end.isoformat()}
        return self.peer.change("Appointment", remote_id, **(times | columns))

    def receive(self, remote_id: str, kind: str = "Appointment", **columns: Any) -> InboundMessage:
        key = columns.pop("key", uuid4().hex)
        source = columns.pop("source", Source.HOOK)
        arrivals.receive(self.connection, Told(kind, remote_id, **columns), source=source, key=key)
        return InboundMessage.objects.get(connection=self.connection, key=key)

    def tell(self, remote_id: str, kind: str = "Appointment", **columns: Any) -> InboundMessage:
        """Let something be told of and taken; return what became of the message."""
        message = self.receive(remote_id, kind, **columns)
        taking.take_in()
        message.refresh_from_db()
        return message

    def booked(self, start: datetime, **columns: Any) -> Appointment:
        """Book a visit of ours, of which nobody there knows."""
        wanted = {"patient": self.patient, "provider": self.provider}
        return booking.book(
            **(wanted | columns),
            clinic=self.connection.clinic,
            visit_type=self.visit_type,
            start=start,
            by=self.desk,
            now=self.now,
        )

    def link(self, visit: Appointment, remote_id: str, *, is_agreed: bool = True) -> EMRLink:
        """Let both sides know a visit, as they do once it was told."""
        resource = self.peer.store.read("Appointment", remote_id)
        return link_to(
            self.connection,
            visit,
            "Appointment",
            remote_id,
            version_id=resource["meta"]["versionId"],
            agreed=standing_of(visit).as_json() if is_agreed else {},
            agreed_version=visit.version,
        )

    def shared(self, start: datetime) -> tuple[Appointment, str]:
        """Return a visit that both sides have, and its id there. Nothing of it is to be told."""
        visit = self.booked(start)
        self.connection.outbound.all().delete()
        remote_id = self.add(start)
        self.link(visit, remote_id)
        return visit, remote_id

    @property
    def conflicts(self) -> list[SyncConflict]:
        return list(SyncConflict.objects.filter(connection=self.connection, closed_at=None))

    @property
    def tasks(self) -> list[str]:
        rows = EMRTask.objects.filter(connection=self.connection, closed_at=None)
        return sorted(rows.values_list("kind", flat=True))


@pytest.fixture
def joined(
    clinic: Clinic,
    provider: Provider,
    visit_type: VisitType,
    patient: Patient,
    desk: Actor,
    now: datetime,
    generic: Peer,
) -> Joined:
    connection = connection_to(generic, clinic, hook_secret="a secret of the clinic's own")
    both = Joined(connection, generic, provider, patient, visit_type, desk, now)
    both.patient_there = generic.add_patient(
        given=patient.given_name, family=patient.family_name, dob=patient.dob
    )
    link_to(connection, patient, "Patient", both.patient_there)
    return both


@pytest.fixture
def somebody(clinic: Clinic) -> Patient:
    """Another patient of the clinic."""
    return PatientFactory.create(clinic=clinic)
