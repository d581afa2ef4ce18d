"""What record systems leave for a desk: messages, conflicts, patients to find, tasks."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from emr import queries
from emr.kinds import Algorithm, Arrival, ConflictKind, Source, State, TaskKind, What, Why
from emr.models import (
    EMRConnection,
    EMRTask,
    InboundMessage,
    OutboundMessage,
    PatientMatch,
    SigningKey,
    SyncConflict,
)
from emr.standings import Standing
from patients.models import Patient
from providers.fields import new_id
from providers.models import Clinic
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.factories.emr import EMRConnectionFactory

HOUR = timedelta(hours=1)


def record_system_of(clinic: Clinic) -> EMRConnection:
    """Return the record system of a clinic, joined when it is first asked for."""
    queries.forget()
    known = EMRConnection.objects.filter(clinic=clinic).first()
    return known or EMRConnectionFactory.create(clinic=clinic, creates_patients=True)


def signing_key(kid: str = "2026-a") -> SigningKey:
    """Return a key of this house; it signs nothing that anybody would take."""
    return SigningKey.objects.get_or_create(
        kid=kid,
        defaults={
            "algorithm": Algorithm.ES384.value,
            "public": {"kty": "EC"},
            "private": "{}",
            "signs_from": timezone.now(),
        },
    )[0]


def message_of(visit: Appointment, connection: EMRConnection, **columns: Any) -> OutboundMessage:
    """A message of a booked visit that the other side turned away, unless told otherwise."""
    defaults: dict[str, Any] = {
        "what": What.VISIT.value,
        "act": "BOOK",
        "patient": visit.patient,
        "appointment": visit,
        "version": visit.version,
        "state": State.DEAD.value,
        "why": Why.NO_SLOT.value,
        "codes": ["422", "business-rule"],
        "attempts": 1,
        "not_before": timezone.now() - HOUR,
    }
    return OutboundMessage.objects.create(connection=connection, **(defaults | columns))


def arrival_of(connection: EMRConnection, **columns: Any) -> InboundMessage:
    """A message that was not understood, unless told otherwise."""
    defaults: dict[str, Any] = {
        "source": Source.HOOK.value,
        "key": f"Appointment/{new_id()}/1",
        "resource_type": "Appointment",
        "resource_id": "a-17",
        "state": Arrival.DEAD.value,
        "codes": ["unknown-status"],
    }
    return InboundMessage.objects.create(connection=connection, **(defaults | columns))


def standing_of(visit: Appointment, **changed: Any) -> dict[str, Any]:
    """Where a visit stands, as the two sides of a conflict are kept."""
    facts: dict[str, Any] = {
        "start": visit.scheduled_start,
        "end": visit.scheduled_end,
        "provider": str(visit.provider_id),
        "status": Status.SCHEDULED,
    }
    return Standing(**(facts | changed)).as_json()


def conflict_of(visit: Appointment, connection: EMRConnection, **columns: Any) -> SyncConflict:
    """Both sides have moved a visit: theirs begins an hour later than ours."""
    sides = {
        "ours": standing_of(visit),
        "theirs": standing_of(
            visit, start=visit.scheduled_start + HOUR, end=visit.scheduled_end + HOUR
        ),
        "base": standing_of(
            visit, start=visit.scheduled_start - HOUR, end=visit.scheduled_end - HOUR
        ),
    }
    defaults: dict[str, Any] = {
        "kind": ConflictKind.BOTH_MOVED.value,
        "patient": visit.patient,
        "appointment": visit,
        "resource_type": "Appointment",
        "resource_id": f"a-{visit.reference}",
        "version_id": "2",
        "sides": json.dumps(sides),
    }
    return SyncConflict.objects.create(connection=connection, **(defaults | columns))


def person_there(patient: Patient, remote_id: str = "p-1", **changed: Any) -> dict[str, Any]:
    """A patient of ours as the other side may have them."""
    mrn = {"coding": [{"code": "MR"}]}
    name = {"use": "official", "family": patient.family_name, "given": [patient.given_name]}
    resource = {
        "resourceType": "Patient",
        "id": remote_id,
        "identifier": [{"type": mrn, "system": "urn:mrn", "value": f"MRN-{remote_id}"}],
        "name": [name],
        "birthDate": patient.dob.isoformat() if patient.dob else None,
        "telecom": [{"system": "phone", "value": patient.phone}],
    }
    return resource | changed


def match_of(
    patient: Patient, connection: EMRConnection, *resources: dict[str, Any], **columns: Any
) -> PatientMatch:
    """A patient whom the other side may know as each of these."""
    told = [
        {
            "remote_id": each["id"],
            "score": None,
            "is_certain": False,
            "replaced_by": "",
            "raw": each,
        }
        for each in resources
    ]
    return PatientMatch.objects.create(
        connection=connection, patient=patient, candidates=json.dumps(told), **columns
    )


def task_of(connection: EMRConnection, kind: TaskKind, **columns: Any) -> EMRTask:
    return EMRTask.objects.create(
        connection=connection, clinic=connection.clinic, kind=kind.value, **columns
    )
