"""The rules by which Oracle Health Millennium takes appointments (R4, as published in 2026)."""

from __future__ import annotations

from typing import Any

from emr.demo_server.messages import Answer, Request
from emr.demo_server.rest import Rest
from emr.demo_server.rules import READ, Refusal, Rules, instant
from emr.demo_server.store import Resource

SEARCH = frozenset({"search-type"})
RULES = Rules(
    software="Oracle Health Millennium Platform",
    offers={
        "Patient": READ | {"create"},
        "Practitioner": READ,
        "Location": READ,
        "Schedule": READ,
        "Slot": READ | {"patch"},
        "Appointment": READ | {"create", "patch"},
        "Coverage": READ,
        "DocumentReference": READ | {"create"},
    },
    searchable={
        "Patient": frozenset(
            [
                "_id",
                "identifier",
                "name",
                "family",
                "given",
                "birthdate",
                "phone",
                "email",
                "gender",
            ]
        ),
        "Appointment": frozenset(["_id", "patient", "practitioner", "location", "date", "status"]),
        "Slot": frozenset(["_id", "service-type", "start", "schedule"]),
        "Schedule": frozenset({"_id"}),
        "Coverage": frozenset({"_id", "patient"}),
        "DocumentReference": frozenset(["_id", "patient", "date"]),
    },
    conditional_create=False,
    patient_match=False,
    stale_status=409,
    needs_if_match=True,
    takes_times_from_slot=True,
)
_MOVES = {
    "proposed": {"booked", "cancelled"},
    "booked": {"arrived", "checked-in", "cancelled"},
    "arrived": {"checked-in", "cancelled"},
    "checked-in": {"fulfilled", "cancelled"},
}
_PATHS = {"/status", "/slot", "/reasonCode", "/cancelationReason"}
_CREATED = {"resourceType", "status", "slot", "participant", "reasonCode"}
_IGNORED = {"meta", "identifier", "start", "end"}
_TOO_MANY = 1000
_ENOUGH = {"_id", "identifier", "name", "family", "given", "birthdate", "phone", "email"}


class OracleRest(Rest):
    """Fills in from the slot what a new appointment may not say, and never answers with a body."""

    locked: set[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.locked = set()

    def check_search(self, kind: str, request: Request) -> None:
        names = [name.split(":")[0] for name, _value in request.query]
        asked = set(names) - {"_count", "_offset", "_sort", "_format"}
        if kind == "Patient":
            self._check_patient_search(asked)
        elif kind == "Slot" and asked != {"_id"}:
            _check_slot_search(asked, request)
        elif kind == "Appointment" and asked != {"_id"}:
            _check_visit_search(asked, request)

    def _check_patient_search(self, asked: set[str]) -> None:
        if not asked & _ENOUGH:
            raise Refusal(422, "required")
        if len(self.store.all("Patient")) > _TOO_MANY and not asked & {"_id", "identifier"}:
            raise Refusal(422, "too-costly")

    def _bundle(self, kind: str, hits: list[Any], request: Request) -> Answer:
        if kind == "Slot":
            hits = [one for one in hits if one["status"] == "free"]
        return super()._bundle(kind, hits, request)

    def created(self, resource: Resource) -> Answer:
        version = resource["meta"]["versionId"]
        place = f"{self.root}/{resource['resourceType']}/{resource['id']}"
        headers = {"location": place, "etag": f'W/"{version}"', "content-type": "text/html"}
        return Answer(201, b"", headers)

    def changed(self, resource: Resource) -> Answer:
        version = resource["meta"]["versionId"]
        return Answer(200, b"", {"etag": f'W/"{version}"', "content-type": "text/html"})

    def patch(self, kind: str, resource_id: str, request: Request) -> Answer:
        if resource_id in self.locked:
            raise Refusal(423, "lock-error")
        if kind == "Appointment":
            _check_operations(request.json())
        elif kind == "Slot" and [one.get("path") for one in request.json()] != ["/status"]:
            raise Refusal(422, "invalid")
        return super().patch(kind, resource_id, request)

    def accepted(self, resource: Resource, before: Resource | None) -> Resource:
        if resource["resourceType"] == "DocumentReference":
            return self._accepted_note(resource)
        if resource["resourceType"] != "Appointment":
            return resource
        if before is None:
            return self._accepted_visit(resource)
        then, now = before["status"], resource["status"]
        if then != now and now not in _MOVES.get(then, set()):
            raise Refusal(422, "business-rule")
        if resource.get("slot") != before.get("slot"):
            return self._in_slot(resource, resource.get("slot"))
        return resource

    def _accepted_visit(self, resource: Resource) -> Resource:
        if set(resource) - _CREATED - _IGNORED or resource["status"] != "booked":
            raise Refusal(422, "invalid")
        parts, reasons = resource["participant"], resource.get("reasonCode", [])
        if len(parts) != 1 or parts[0].get("type") or parts[0]["status"] != "accepted":
            raise Refusal(422, "invalid")
        if not parts[0].get("actor", {}).get("reference", "").startswith("Patient/"):
            raise Refusal(422, "invalid")
        if len(reasons) > 1 or any(len(one.get("text", "")) > 255 for one in reasons):
            raise Refusal(422, "too-long")
        resource = {name: value for name, value in resource.items() if name not in _IGNORED}
        return self._in_slot(resource, resource.get("slot"))

    def _in_slot(self, resource: Resource, slots: Any) -> Resource:
        """Take the times, the practitioner and the place of the one slot, which must be free."""
        if not isinstance(slots, list) or len(slots) != 1:
            raise Refusal(422, "invalid")
        slot = self.store.read("Slot", str(slots[0].get("reference", "")).rpartition("/")[2])
        if slot["status"] != "free":
            raise Refusal(409, "conflict", "slot-taken")
        schedule = self.store.read("Schedule", slot["schedule"]["reference"].rpartition("/")[2])
        patient = [one for one in resource["participant"] if _is_patient(one)]
        others = [{"actor": actor, "status": "accepted"} for actor in schedule["actor"]]
        told = {"serviceType": slot["serviceType"], "start": slot["start"], "end": slot["end"]}
        return resource | told | {"participant": patient + others}

    def _accepted_note(self, resource: Resource) -> Resource:
        if "T" not in str(resource.get("date", "")):
            raise Refusal(422, "value")
        instant(resource["date"])
        authors = [str(one.get("reference", "")) for one in resource.get("author", [])]
        if not authors or not all(one.startswith("Practitioner/") for one in authors):
            raise Refusal(422, "required")
        return {name: value for name, value in resource.items() if name != "identifier"}

    def after(self, now: Resource, before: Resource | None) -> None:
        """Slots follow what is booked in them."""
        if now["resourceType"] != "Appointment":
            return
        held, holds = _slots(before), _slots(now) if now["status"] != "cancelled" else set()
        for slot_id, status in [(one, "free") for one in held - holds] + [
            (one, "busy") for one in holds - held
        ]:
            slot = self.store.read("Slot", slot_id)
            self.store.update(slot | {"status": status}, resource_id=slot_id)


def _slots(resource: Resource | None) -> set[str]:
    if resource is None or resource["status"] == "cancelled":
        return set()
    return {one["reference"].rpartition("/")[2] for one in resource.get("slot", [])}


def _is_patient(participant: dict[str, Any]) -> bool:
    return str(participant.get("actor", {}).get("reference", "")).startswith("Patient/")


def _check_operations(operations: Any) -> None:
    for one in operations if isinstance(operations, list) else [{}]:
        path = str(one.get("path", ""))
        known = any(path == place or path.startswith(f"{place}/") for place in _PATHS)
        if not known or one.get("op") not in {"replace", "add", "remove"}:
            raise Refusal(422, "invalid")


def _check_slot_search(asked: set[str], request: Request) -> None:
    if "service-type" not in asked or not _is_closed(request, "start", ("ge",), ("lt",)):
        raise Refusal(422, "required")


def _check_visit_search(asked: set[str], request: Request) -> None:
    who = asked & {"patient", "practitioner", "location"}
    if len(who) != 1 or not _is_closed(request, "date", ("ge", "gt"), ("lt", "le")):
        raise Refusal(422, "required")


def _is_closed(request: Request, name: str, low: tuple[str, ...], high: tuple[str, ...]) -> bool:
    said = sorted(value[:2] for one, value in request.query if one == name)
    return len(said) == 2 and said[0] in low and said[1] in high
