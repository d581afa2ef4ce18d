"""Leaves a task for a new order or result: the desk books the one, the provider sees the other.

Keeps the reference alone; what was ordered or found stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emr.fhir.references import ids_of
from emr.fhir.tolerant import text
from emr.inbox.leaving import leave_resource
from emr.inbox.outcomes import Outcome, ignored
from emr.inbox.people import patient_here, patient_of
from emr.inbox.reading import Reader
from emr.kinds import Arrival, TaskKind
from patients.models import Patient
from providers.models import Provider
from scheduling.models import Appointment

ORDERS = ("ServiceRequest",)
RESULTS = ("DiagnosticReport", "Observation")
# What else a result may be called once it is final.
FINAL = {"final", "amended", "corrected", "appended"}
NO_ORDERS = {"proposal", "plan", "option", "directive"}


def take(resource_type: str, remote_id: str, *, reader: Reader, now: datetime) -> Outcome:
    """Take an order or a result. Raises what reading it raises."""
    resource = reader.resource(resource_type, remote_id)
    if resource_type in ORDERS:
        return _order(resource_type, remote_id, resource, reader=reader)
    return _result(resource_type, remote_id, resource, reader=reader, now=now)


def _order(
    resource_type: str, remote_id: str, resource: Mapping[str, Any], *, reader: Reader
) -> Outcome:
    """An order that stands opens a task, whoever its patient is: they may be new here."""
    if text(resource.get("status")) != "active" or text(resource.get("intent")) in NO_ORDERS:
        return ignored("no-standing-order")
    whose = ids_of([resource.get("subject")], "Patient")
    patient = patient_of(whose[0], reader=reader) if whose else None
    leave_resource(
        TaskKind.ORDER,
        connection=reader.connection,
        resource_type=resource_type,
        resource_id=remote_id,
        patient=patient,
    )
    return Outcome(Arrival.DONE, (), patient.pk if patient else None)


def _result(
    resource_type: str,
    remote_id: str,
    resource: Mapping[str, Any],
    *,
    reader: Reader,
    now: datetime,
) -> Outcome:
    """A final result of somebody who is a patient here opens a task for their provider."""
    if text(resource.get("status")) not in FINAL:
        return ignored("not-final")
    whose = ids_of([resource.get("subject")], "Patient")
    known = patient_here(reader.connection, whose[0]) if whose else None
    if known is None:
        return ignored("unknown-patient")
    patient = Patient.objects.get(pk=known)
    leave_resource(
        TaskKind.RESULT,
        connection=reader.connection,
        resource_type=resource_type,
        resource_id=remote_id,
        patient=patient,
        provider=_provider_of(patient, reader=reader, now=now),
    )
    return Outcome(Arrival.DONE, (), patient.pk)


def _provider_of(patient: Patient, *, reader: Reader, now: datetime) -> Provider | None:
    """Return whom the patient saw last at the clinic, else whom they see next."""
    visits = Appointment.objects.live().filter(patient=patient, clinic=reader.connection.clinic_id)
    seen = visits.filter(scheduled_start__lte=now).order_by("-scheduled_start").first()
    visit = seen or visits.order_by("scheduled_start").first()
    return visit.provider if visit else None
