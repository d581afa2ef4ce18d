"""What somebody at the record system can do to an appointment by a button, and what they see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from emr.demo_server.rest import ids_in
from emr.demo_server.store import Absent, Resource, Store

LATER = timedelta(minutes=30)
_DAY = timedelta(days=1)
MOST = 200
_ENDED = {"cancelled", "fulfilled", "noshow", "entered-in-error"}


@dataclass(frozen=True, slots=True)
class Row:
    """An appointment as the page shows it; `start` and `end` are aware."""

    id: str
    start: datetime
    end: datetime
    patient: str
    practitioner: str
    status: str
    version: str

    @property
    def is_open(self) -> bool:
        return self.status not in _ENDED

    @property
    def acts(self) -> Mapping[str, str]:
        """Where the form of each act is sent to."""
        return {name: f"/do/{name}/{self.id}" for name in ACTS}


def rows(store: Store, *, now: datetime) -> list[Row]:
    """Return the appointments from yesterday on, the earliest first, at most MOST."""
    since = now - _DAY
    all_of_them = (_row(store, one) for one in store.look("Appointment") if one.get("start"))
    return sorted((row for row in all_of_them if row.end > since), key=lambda row: row.start)[:MOST]


def _row(store: Store, appointment: Resource) -> Row:
    return Row(
        id=appointment["id"],
        start=datetime.fromisoformat(appointment["start"]),
        end=datetime.fromisoformat(appointment["end"]),
        patient=_name(store, appointment, "Patient"),
        practitioner=_name(store, appointment, "Practitioner"),
        status=appointment["status"],
        version=appointment["meta"]["versionId"],
    )


def _name(store: Store, appointment: Resource, kind: str) -> str:
    for resource_id in ids_in(appointment, kind):
        try:
            name = store.read(kind, resource_id).get("name", [{}])[0]
        except Absent:
            return resource_id
        spoken = " ".join([*name.get("given", []), name.get("family", "")]).strip()
        return str(name.get("text") or spoken)
    return ""


def act(store: Store, name: str, appointment_id: str) -> None:
    """Do one of ACTS to an appointment. Raises KeyError for another name, Absent for another id."""
    change = ACTS[name]
    with store.lock:
        appointment = store.read("Appointment", appointment_id)
        change(store, appointment)


def _with(**columns: Any) -> Callable[[Store, Resource], None]:
    def change(store: Store, appointment: Resource) -> None:
        store.update(appointment | columns, resource_id=appointment["id"])

    return change


def _move(store: Store, appointment: Resource) -> None:
    moved = {name: _later(appointment[name]) for name in ("start", "end")}
    store.update(appointment | moved, resource_id=appointment["id"])


def _later(instant: str) -> str:
    at = datetime.fromisoformat(instant) + LATER
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _order(store: Store, appointment: Resource) -> None:
    """Write an order for the appointment's patient: to be booked by the portal's desk."""
    patients = ids_in(appointment, "Patient")
    if patients:
        store.create(order_for(patients[0]))


def order_for(patient: str) -> Mapping[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": {"text": "Follow-up visit"},
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


_CALLED_OFF = {"text": "Called off at the hospital"}
ACTS: dict[str, Callable[[Store, Resource], None]] = {
    "arrived": _with(status="arrived"),
    "later": _move,
    "cancel": _with(status="cancelled", cancelationReason=_CALLED_OFF),
    "order": _order,
}
