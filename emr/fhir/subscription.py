"""Subscription: what we ask another server to tell us of, where, and with which secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from emr.fhir import instants
from emr.fhir.building import filled
from emr.fhir.checking import checked

JSON = "application/fhir+json"
# Medplum signs the body with it (X-Signature); a server that does not know it leaves it alone.
SIGNING_SECRET = "https://www.medplum.com/fhir/StructureDefinition/subscription-secret"  # noqa: S105


def subscription(
    url: str, criteria: str, secret: str, *, end: datetime | None = None
) -> dict[str, Any]:
    """Return a rest-hook Subscription: `criteria` is a search such as "Appointment?".

    The secret comes back as a bearer token in the header of every notification. Raises Invalid.
    """
    return checked(
        filled(
            {
                "resourceType": "Subscription",
                "extension": [{"url": SIGNING_SECRET, "valueString": secret}] if secret else [],
                "status": "requested",
                "end": instants.utc(end) if end else "",
                "reason": "Keep a clinic's appointments in step",
                "criteria": criteria,
                "channel": {
                    "type": "rest-hook",
                    "endpoint": url,
                    "payload": JSON,
                    "header": [f"Authorization: Bearer {secret}"] if secret else [],
                },
            }
        )
    )
