"""What our FHIR face can do, in FHIR's own words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from emr.fhir.checking import checked

Json = dict[str, Any]
MADE = date(2026, 11, 23)  # when this statement last changed
SEARCHED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Location": {"_id": "token"},
        "Schedule": {"_id": "token", "actor": "reference", "service-type": "token"},
        "Slot": {"schedule": "reference", "start": "date", "status": "token"},
    }
)
READ = ("Location", "Practitioner", "PractitionerRole", "Schedule", "Slot")


def capability(*, base: str) -> Json:
    """Return the CapabilityStatement of the FHIR root at `base`."""
    return checked(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": f"{MADE:%Y-%m-%d}T00:00:00Z",
            "kind": "instance",
            "software": {"name": "Daysheet"},
            "implementation": {
                "description": "Times that can be booked online. Holds nothing about patients.",
                "url": base,
            },
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "json"],
            "rest": [
                {
                    "mode": "server",
                    "documentation": "Open to everybody, read only, limited in rate."
                    f" All slots at once (SMART Scheduling Links): {base}/$bulk-publish",
                    "resource": [_resource(kind) for kind in READ],
                }
            ],
        }
    )


def _resource(kind: str) -> Json:
    searched = SEARCHED.get(kind, {})
    acts = [{"code": "read"}, *([{"code": "search-type"}] if searched else [])]
    params = [{"name": name, "type": of} for name, of in searched.items()]
    said: Json = {"type": kind, "interaction": acts, "versioning": "no-version"}
    return {**said, "searchParam": params} if params else said
