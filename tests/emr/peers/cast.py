"""Who and what there is at a peer: patients, practitioners, places, free times, appointments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from emr.demo_server.store import Store

NPI = "http://hl7.org/fhir/sid/us-npi"
MRN = "urn:oid:1.2.3.4"
SERVICE = ("https://codes.example/visits", "100")


class Cast:
    """Adds resources to a store as if somebody there had typed them in; answers their ids."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(self, resource: dict[str, Any]) -> str:
        """Keep a resource as it is, under its own id if it bears one."""
        return str(self.store.create(resource, resource_id=resource.get("id", ""))["id"])

    def add_patient(
        self,
        *,
        given: str = "Ada",
        family: str = "Moreno",
        dob: date | None = date(1984, 2, 29),
        identifiers: Sequence[tuple[str, str]] = (),
        member_id: str = "",
        phone: str = "",
        email: str = "",
        replaced_by: str = "",
        **rest: Any,
    ) -> str:
        """`replaced_by` makes it an inactive record that was joined into that one."""
        numbers = [_identifier("MR", system, value) for system, value in identifiers]
        numbers += [_identifier("MB", "", member_id)] if member_id else []
        contacts = [("phone", phone), ("email", email)]
        patient: dict[str, Any] = {
            "resourceType": "Patient",
            "active": not replaced_by,
            "name": [{"use": "official", "family": family, "given": [given]}],
            "identifier": numbers,
            "telecom": [{"system": name, "value": value} for name, value in contacts if value],
        }
        if dob:
            patient["birthDate"] = dob.isoformat()
        if replaced_by:
            other = {"reference": f"Patient/{replaced_by}"}
            patient["link"] = [{"other": other, "type": "replaced-by"}]
        return self.add({name: value for name, value in (patient | rest).items() if value != []})

    def add_practitioner(self, *, name: str = "Dr. Provider", npi: str = "", **rest: Any) -> str:
        practitioner: dict[str, Any] = {
            "resourceType": "Practitioner",
            "active": True,
            "name": [{"text": name, "family": name.split()[-1], "given": [name.split()[-2]]}],
        }
        if npi:
            practitioner["identifier"] = [{"system": NPI, "value": npi}]
        return self.add(practitioner | rest)

    def add_location(self, *, name: str = "Main clinic", **rest: Any) -> str:
        return self.add({"resourceType": "Location", "status": "active", "name": name} | rest)

    def add_schedule(self, *, practitioner: str, location: str = "") -> str:
        """Return the schedule of a practitioner at a place, made if it is not there."""
        actors = [{"reference": f"Practitioner/{practitioner}"}]
        actors += [{"reference": f"Location/{location}"}] if location else []
        for one in self.store.all("Schedule"):
            if one["actor"] == actors:
                return str(one["id"])
        return self.add({"resourceType": "Schedule", "active": True, "actor": actors})

    def add_slot(
        self,
        *,
        start: datetime,
        practitioner: str,
        location: str = "",
        minutes: int = 30,
        status: str = "free",
        service: tuple[str, str] = SERVICE,
        **rest: Any,
    ) -> str:
        schedule = self.add_schedule(practitioner=practitioner, location=location)
        coding = {"system": service[0], "code": service[1]}
        return self.add(
            {
                "resourceType": "Slot",
                "schedule": {"reference": f"Schedule/{schedule}"},
                "serviceType": [{"coding": [coding]}],
                "status": status,
                "start": _instant(start),
                "end": _instant(start + timedelta(minutes=minutes)),
            }
            | rest
        )

    def add_appointment(
        self,
        *,
        start: datetime,
        patient: str,
        practitioner: str = "",
        location: str = "",
        minutes: int = 30,
        status: str = "booked",
        identifiers: Sequence[tuple[str, str]] = (),
        **rest: Any,
    ) -> str:
        actors = [("Patient", patient), ("Practitioner", practitioner), ("Location", location)]
        appointment: dict[str, Any] = {
            "resourceType": "Appointment",
            "status": status,
            "start": _instant(start),
            "end": _instant(start + timedelta(minutes=minutes)),
            "participant": [
                {"actor": {"reference": f"{kind}/{one}"}, "status": "accepted"}
                for kind, one in actors
                if one
            ],
        }
        if identifiers:
            appointment["identifier"] = [
                {"system": system, "value": value} for system, value in identifiers
            ]
        return self.add(appointment | rest)

    def change(self, resource_type: str, resource_id: str, **columns: Any) -> str:
        """Change a resource there; the answer is its new version."""
        resource = self.store.read(resource_type, resource_id) | columns
        kept = {name: value for name, value in resource.items() if value is not None}
        return str(self.store.update(kept, resource_id=resource_id)["meta"]["versionId"])

    @property
    def appointments(self) -> list[dict[str, Any]]:
        return self.store.all("Appointment")


def _identifier(code: str, system: str, value: str) -> dict[str, Any]:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}
    return {"type": kind, "value": value} | ({"system": system} if system else {})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
