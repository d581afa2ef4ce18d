"""Leaves something for a person to do, once however often it is told."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from emr.kinds import TaskKind
from emr.models import EMRConnection, EMRTask
from patients.models import Patient
from providers.models import Provider
from scheduling.models import Appointment


def leave(kind: TaskKind, *, connection: EMRConnection, visit: Appointment) -> bool:
    """Ask the desk to look at a visit; False where it is asked to already."""
    asked = EMRTask.objects.filter(
        connection=connection, kind=kind.value, appointment=visit, resource_id="", closed_at=None
    )
    task = EMRTask(
        connection=connection,
        clinic_id=connection.clinic_id,
        kind=kind.value,
        patient_id=visit.patient_id,
        appointment=visit,
    )
    return not asked.exists() and _left(task)


def leave_resource(
    kind: TaskKind,
    *,
    connection: EMRConnection,
    resource_type: str,
    resource_id: str,
    patient: Patient | None,
    provider: Provider | None = None,
) -> bool:
    """Ask the desk, or a provider, to look at a resource of the other side: once for ever."""
    asked = EMRTask.objects.filter(
        connection=connection,
        kind=kind.value,
        resource_type=resource_type,
        resource_id=resource_id,
    )
    task = EMRTask(
        connection=connection,
        clinic_id=connection.clinic_id,
        kind=kind.value,
        patient=patient,
        provider=provider,
        resource_type=resource_type,
        resource_id=resource_id,
    )
    return not asked.exists() and _left(task)


def _left(task: EMRTask) -> bool:
    """Write a task, unless another was faster: the database lets one in."""
    try:
        with transaction.atomic():
            task.save(force_insert=True)
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
        if not constraint.startswith("emr_task_"):
            raise
        return False
    return True
