"""The rules by which Epic takes appointments: R4 to read, STU3 `$find` and `$book` to book."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from emr.demo_server.messages import Answer, Request, said
from emr.demo_server.rest import Rest
from emr.demo_server.rules import READ, Refusal, Rules, instant
from emr.demo_server.searching import token

RULES = Rules(
    software="Epic",
    offers={
        "Patient": READ | {"create"},
        "Practitioner": READ,
        "Location": READ,
        "Appointment": READ,
        "Coverage": READ,
        "DocumentReference": READ | {"create"},
    },
    searchable={
        "Patient": frozenset(
            [
                "_id",
                "identifier",
                "family",
                "given",
                "name",
                "birthdate",
                "phone",
                "email",
                "gender",
                "telecom",
            ]
        ),
        "Appointment": frozenset(["_id", "patient", "date", "identifier", "status"]),
        "DocumentReference": frozenset(["_id", "patient", "date"]),
        "Coverage": frozenset(["_id", "patient", "beneficiary"]),
    },
    conditional_create=False,
    patient_match=True,
    needs_if_match=True,
)
STU3 = replace(
    RULES,
    fhir_version="3.0.1",
    offers={"Appointment": READ, "Schedule": READ, "Slot": READ, "Patient": READ},
    searchable={
        "Appointment": frozenset(["_id", "patient", "date", "identifier", "status"]),
        "Schedule": frozenset({"_id"}),
        "Slot": frozenset({"_id"}),
    },
    operations=("Appointment-find", "Appointment-book"),
    patient_match=False,
)
CSN = "urn:oid:1.2.840.114350.1.13.0.1.7.3.698084.8"
_TOO_MANY = 100
_ENOUGH = {"_id", "identifier", "family", "name", "telecom", "birthdate"}


class EpicRest(Rest):
    """R4: appointments are read and searched, never written; a chart may ask why it is opened."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guarded: set[str] = set()

    def check_search(self, kind: str, request: Request) -> None:
        asked = {name.split(":")[0] for name, _value in request.query}
        if kind == "Appointment" and not asked & {"_id", "patient", "identifier"}:
            raise Refusal(400, "required", "59100")
        if kind == "Patient" and not asked & _ENOUGH:
            raise Refusal(400, "required", "59100")

    def _bundle(self, kind: str, hits: list[Any], request: Request) -> Answer:
        if kind == "Patient" and len(hits) > _TOO_MANY:
            raise Refusal(400, "too-costly", "4127")
        return super()._bundle(kind, hits, request)

    def read(self, kind: str, resource_id: str, request: Request) -> Answer:
        if resource_id in self.guarded:
            raise Refusal(403, "forbidden", "4130")
        return super().read(kind, resource_id, request)


class EpicScheduling(Rest):
    """STU3: what `$find` proposed can be booked by its id until somebody takes the time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._proposed: dict[str, dict[str, Any]] = {}
        self._moment = threading.Lock()

    def _route(self, request: Request) -> Answer:
        if request.method == "POST" and request.path == "Appointment/$find":
            return self._find(_parameters(request))
        if request.method == "POST" and request.path == "Appointment/$book":
            return self._book(_parameters(request))
        return super()._route(request)

    def _find(self, asked: Mapping[str, Any]) -> Answer:
        if "startTime" not in asked or "endTime" not in asked:
            raise Refusal(400, "required", "59108")
        start = instant(asked["startTime"].get("valueDateTime", ""))
        end = instant(asked["endTime"].get("valueDateTime", ""))
        if end <= start or end - start > timedelta(days=14):
            raise Refusal(400, "value", "59117")
        wanted = asked.get("serviceType", asked.get("service-type", {}))
        hits = [
            self._propose(slot, schedule)
            for slot in self.store.all("Slot")
            if (schedule := self._schedule(slot)) and _fits(slot, schedule, asked, wanted)
            if slot["status"] == "free" and start <= instant(slot["start"]) < end
        ]
        return said(200, _bundle(hits, self.root))

    def _schedule(self, slot: Mapping[str, Any]) -> dict[str, Any]:
        return self.store.read("Schedule", slot["schedule"]["reference"].rpartition("/")[2])

    def _propose(self, slot: dict[str, Any], schedule: dict[str, Any]) -> dict[str, Any]:
        actors = [{"actor": actor, "status": "needs-action"} for actor in schedule["actor"]]
        proposed = {
            "resourceType": "Appointment",
            "id": f"proposed-{slot['id']}",
            "status": "proposed",
            "serviceType": slot["serviceType"],
            "start": slot["start"],
            "end": slot["end"],
            "slot": [{"reference": f"Slot/{slot['id']}"}],
            "participant": actors,
        }
        self._proposed[proposed["id"]] = proposed
        return proposed

    def _book(self, asked: Mapping[str, Any]) -> Answer:
        patient, chosen = _pointed(asked.get("patient")), _pointed(asked.get("appointment"))
        proposed = self._proposed.get(chosen)
        if not patient or proposed is None:
            raise Refusal(400, "required", "59100")
        self.store.read("Patient", patient)
        with self._moment, self.store.lock:
            slot = self.store.read("Slot", chosen.removeprefix("proposed-"))
            if slot["status"] != "free":
                raise Refusal(400, "business-rule", "59134")
            self.store.update(slot | {"status": "busy"}, resource_id=slot["id"])
            booked = self._made(proposed, patient, asked.get("appointmentNote", {}))
        return said(200, _bundle([booked], self.root))

    def _made(
        self, proposed: dict[str, Any], patient: str, note: Mapping[str, Any]
    ) -> dict[str, Any]:
        actors = [one["actor"] for one in proposed["participant"]]
        actors.insert(0, {"reference": f"Patient/{patient}"})
        booked = {
            **{name: value for name, value in proposed.items() if name != "id"},
            "status": "booked",
            "identifier": [{"system": CSN, "value": str(len(self.store.all("Appointment")) + 1)}],
            "participant": [{"actor": actor, "status": "accepted"} for actor in actors],
        }
        text = str(note.get("valueString", ""))
        return self.store.create(booked | ({"comment": text} if text else {}))


def _parameters(request: Request) -> dict[str, dict[str, Any]]:
    body = request.json()
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise Refusal(400, "structure")
    return {one["name"]: one for one in body.get("parameter", []) if "name" in one}


def _pointed(parameter: Mapping[str, Any] | None) -> str:
    """Return the id that a parameter names, as an identifier or as a reference."""
    said_so = parameter or {}
    value = said_so.get("valueIdentifier", {}).get("value", "")
    reference = said_so.get("valueReference", {}).get("reference", "")
    return str(value or reference.rpartition("/")[2])


def _fits(
    slot: Mapping[str, Any],
    schedule: Mapping[str, Any],
    asked: Mapping[str, Any],
    service: Mapping[str, Any],
) -> bool:
    codings = service.get("valueCodeableConcept", {}).get("coding", [])
    offered = [coding for one in slot["serviceType"] for coding in one["coding"]]
    if codings and not any(
        token(offered, f"{one.get('system', '')}|{one['code']}") for one in codings
    ):
        return False
    place = _pointed(asked.get("location-reference"))
    actors = [one["reference"] for one in schedule["actor"]]
    return not place or f"Location/{place}" in actors


def _bundle(resources: list[dict[str, Any]], root: str) -> dict[str, Any]:
    entries = [{"fullUrl": f"{root}/Appointment/{one['id']}", "resource": one} for one in resources]
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "information", "code": "informational"}],
    }
    entries.append({"fullUrl": "urn:uuid:0", "resource": outcome})
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": entries,
    }
