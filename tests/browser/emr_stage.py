"""A desk whose record system left it something of everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emr import queries
from emr.kinds import Arrival, Auth, ConflictKind, State, TaskKind, Vendor, Why
from emr.models import (
    ConnectionState,
    EMRConnection,
    InboundMessage,
    OutboundMessage,
    PatientMatch,
    SigningKey,
    SyncConflict,
)
from patients.models import Patient
from providers.models import Clinic
from scheduling.models import Appointment
from tests.factories.emr import EMRConnectionFactory
from tests.factories.emr_work import (
    arrival_of,
    conflict_of,
    match_of,
    message_of,
    person_there,
    task_of,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stage:
    """One of each that has a page of its own."""

    connection: EMRConnection
    conflict: SyncConflict
    match: PatientMatch
    message: OutboundMessage
    arrival: InboundMessage


def set_up(clinic: Clinic, visits: list[Appointment], *, now: datetime) -> Stage:
    """Leave work about these visits, at least three of them, of three patients or more."""
    connection = _connection(clinic, now=now)
    first, second, third = visits[:3]
    _tasks(connection, first, second, third)
    message = _messages(connection, first, second, third, now=now)
    conflict = conflict_of(first, connection)
    conflict_of(third, connection, kind=ConflictKind.STATUS.value)
    arrival = arrival_of(connection, patient=second.patient, appointment=second)
    arrival_of(connection, resource_type="ServiceRequest", state=Arrival.DONE.value, codes=[])
    match = _matches(connection, first.patient, second.patient)
    queries.forget()
    return Stage(connection, conflict, match, message, arrival)


def _connection(clinic: Clinic, *, now: datetime) -> EMRConnection:
    connection = EMRConnectionFactory.create(
        clinic=clinic,
        name="Harbor EHR",
        vendor=Vendor.ORACLE.value,
        auth=Auth.PRIVATE_KEY.value,
        polls_every_minutes=5,
        creates_patients=True,
    )
    _state(
        connection,
        last_success_at=now - 2 * HOUR,
        last_failure_at=now - timedelta(minutes=3),
        last_failure="TryLater 503",
        open_until=now + timedelta(minutes=2),
        discovered_at=now - 5 * HOUR,
        polled_at=now - timedelta(minutes=4),
    )
    other = EMRConnectionFactory.create(
        clinic=clinic,
        name="Lab messages",
        vendor=Vendor.HL7V2.value,
        hl7_host="127.0.0.1",
        hl7_port=2575,
    )
    _state(other, last_success_at=now - timedelta(minutes=1))
    SigningKey.objects.create(
        kid="riverside-2026-09",
        algorithm=connection.algorithm,
        public={"kty": "EC"},
        private="{}",
        signs_from=now - 40 * DAY,
    )
    return connection


def _state(connection: EMRConnection, **columns: Any) -> None:
    ConnectionState.objects.update_or_create(connection=connection, defaults=columns)


def _tasks(connection: EMRConnection, *visits: Appointment) -> None:
    first, second, third = visits
    order = {"resource_type": "ServiceRequest", "resource_id": "sr-4417"}
    task_of(connection, TaskKind.ORDER, patient=first.patient, **order)
    for kind, visit in (
        (TaskKind.NO_SHOW, second),
        (TaskKind.BESIDE_OTHERS, third),
        (TaskKind.ENTERED_IN_ERROR, first),
    ):
        task_of(connection, kind, patient=visit.patient, appointment=visit)


def _messages(connection: EMRConnection, *visits: Appointment, now: datetime) -> OutboundMessage:
    first, second, third = visits
    message = message_of(first, connection, sending_at=now - HOUR)
    message_of(second, connection)
    unlinked = {"why": Why.NO_PATIENT.value, "codes": [], "attempts": 0}
    message_of(second, connection, act="MOVE", state=State.WAITING.value, **unlinked)
    message_of(third, connection, act="CONFIRM", state=State.QUEUED.value, why="", codes=[])
    message_of(third, connection, state=State.DONE.value, why="", codes=[], done_at=now - DAY)
    return message


def _matches(connection: EMRConnection, first: Patient, second: Patient) -> PatientMatch:
    like = person_there(first, "p-17")
    other = person_there(
        first, "p-18", birthDate="1984-12-29", telecom=[{"system": "phone", "value": "2125550188"}]
    )
    match_of(second, connection)
    return match_of(first, connection, like, other)
