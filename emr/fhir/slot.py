"""Slot: a stretch of a provider's time, free or not. Never who has it, nor why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emr.fhir import identity, instants
from emr.fhir.building import filled, reference
from emr.fhir.checking import checked
from emr.fhir.errors import Refused
from emr.fhir.references import ids_of
from emr.fhir.tolerant import items, part, text
from emr.visits import Slot

FREE, BUSY = "free", "busy"


def slot(
    *,
    schedule: str,
    start: datetime,
    end: datetime,
    status: str = FREE,
    slot_id: str = "",
    services: Sequence[Mapping[str, Any]] = (),
    appointment_type: Mapping[str, Any] | None = None,
    extension: Sequence[Mapping[str, Any]] = (),
    changed_at: datetime | None = None,
) -> dict[str, Any]:
    """Return a Slot of the Schedule with this id; `services` are concepts. Raises Invalid."""
    return checked(
        filled(
            {
                "resourceType": "Slot",
                "id": slot_id,
                "meta": {"lastUpdated": instants.utc(changed_at) if changed_at else ""},
                "extension": list(extension),
                "serviceType": list(services),
                "appointmentType": appointment_type or {},
                "schedule": reference("Schedule", schedule),
                "status": status,
                "start": instants.utc(start),
                "end": instants.utc(end),
            }
        )
    )


def read_slot(resource: Mapping[str, Any]) -> Slot:
    """Read a Slot of theirs. Raises Refused without an id, a start or an end."""
    known = identity.identity("Slot", resource)
    start, end = (instants.read(resource.get(name)) for name in ("start", "end"))
    if start is None or end is None:
        raise Refused("no-time", "it does not say from when to when")
    return Slot(
        remote_id=known.resource_id,
        start=start,
        end=end,
        status=text(resource.get("status")).lower(),
        schedule_id=next(iter(ids_of(items(part(resource.get("schedule"))), "Schedule")), ""),
        raw=resource,
    )
