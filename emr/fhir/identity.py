"""Who a resource is: its type, its id at the source, and when the source last changed it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emr.fhir.errors import Refused
from emr.fhir.tolerant import instant, part, text

_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")


@dataclass(frozen=True, slots=True)
class Identity:
    resource_type: str
    resource_id: str
    changed_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.resource_type, self.resource_id


def identity(resource_type: str, resource: Mapping[str, Any]) -> Identity:
    """Return the identity of a resource of a type. Raises Refused without a valid FHIR id."""
    resource_id = resource.get("id")
    if not isinstance(resource_id, str) or not _ID.fullmatch(resource_id):
        raise Refused("no-id", "it has no valid id, so it could not be recognised again")
    return Identity(
        resource_type=resource_type,
        resource_id=resource_id,
        changed_at=instant(part(resource.get("meta")).get("lastUpdated")),
    )


def referenced_id(reference: object) -> str:
    """Return the id in `Practitioner/1`, `https://…/Practitioner/1/_history/2`, `urn:uuid:1`."""
    written = text(part(reference).get("reference")).partition("/_history/")[0]
    return re.split("[/:]", written)[-1]
