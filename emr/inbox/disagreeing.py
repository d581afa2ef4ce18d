"""Keeps what both sides say where no rule decides, until a person or the other side settles it.

Meanwhile nothing of such a visit is told there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from emr.kinds import ConflictKind, State, Why
from emr.models import EMRConnection, OutboundMessage, SyncConflict
from emr.outbox import writing
from emr.standings import Standing
from scheduling.models import Appointment

Side = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """What both sides say of a resource. `base` is what they last agreed on, empty at first."""

    kind: ConflictKind
    resource_type: str
    resource_id: str
    version_id: str = ""
    patient: UUID | None = None
    appointment: Appointment | None = None
    ours: Side
    theirs: Side
    base: Side


def of_visit(
    kind: ConflictKind,
    *,
    remote_id: str,
    version_id: str,
    patient: UUID | None,
    appointment: Appointment | None,
    ours: Standing | None,
    theirs: Standing | None,
    base: Standing | None,
) -> Dispute:
    """Return a dispute about a visit; one of the sides may not have it at all."""
    return Dispute(
        kind=kind,
        resource_type="Appointment",
        resource_id=remote_id,
        version_id=version_id,
        patient=patient,
        appointment=appointment,
        ours=ours.as_json() if ours else {},
        theirs=theirs.as_json() if theirs else {},
        base=base.as_json() if base else {},
    )


@transaction.atomic
def open_conflict(connection: EMRConnection, dispute: Dispute) -> SyncConflict:
    """Open a conflict, or bring an open one of the same kind up to what both sides say now."""
    conflict = _open_of(connection, dispute).select_for_update(of=("self",), no_key=True).first()
    conflict = conflict or SyncConflict(
        connection=connection,
        kind=dispute.kind.value,
        resource_type=dispute.resource_type,
        resource_id=dispute.resource_id,
    )
    conflict.patient_id = dispute.patient
    conflict.appointment = dispute.appointment
    conflict.version_id = dispute.version_id
    conflict.sides = json.dumps(
        {"ours": dispute.ours, "theirs": dispute.theirs, "base": dispute.base},
        sort_keys=True,
        default=str,
    )
    conflict.save()
    if dispute.appointment is not None:
        _hold(connection, dispute.appointment)
    return conflict


@transaction.atomic
def settle_open(
    connection: EMRConnection,
    *,
    resource_type: str,
    resource_id: str,
    appointment: Appointment | None = None,
    now: datetime,
) -> int:
    """Close what is open of a resource on which both sides agree again, and let messages leave."""
    rows = SyncConflict.objects.filter(
        connection=connection,
        resource_type=resource_type,
        resource_id=resource_id,
        closed_at=None,
    )
    settled = list(rows.select_for_update(of=("self",), no_key=True))
    for conflict in settled:
        conflict.closed_at, conflict.resolution = now, SyncConflict.Resolution.SETTLED.value
        conflict.save(update_fields=["closed_at", "resolution"])
    if settled and appointment is not None:
        writing.wake(connection=connection, appointment=appointment, now=now)
    return len(settled)


def _open_of(connection: EMRConnection, dispute: Dispute) -> Any:
    return SyncConflict.objects.filter(
        connection=connection,
        kind=dispute.kind.value,
        resource_type=dispute.resource_type,
        resource_id=dispute.resource_id,
        closed_at=None,
    )


def _hold(connection: EMRConnection, appointment: Appointment) -> None:
    rows = OutboundMessage.objects.filter(
        connection=connection, appointment=appointment, state=State.QUEUED.value
    )
    rows.update(state=State.WAITING.value, why=Why.CONFLICT.value)
