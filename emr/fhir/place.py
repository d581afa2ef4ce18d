"""What Organization and Location resources say of a place where patients may be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emr.fhir.contacts import current_address, phones
from emr.fhir.errors import Refused
from emr.fhir.tolerant import text


@dataclass(frozen=True, slots=True)
class PlaceSays:
    name: str
    address: str
    phones: tuple[str, ...]


def read_place(resource: Mapping[str, Any]) -> PlaceSays:
    """Raises Refused without a name."""
    name = text(resource.get("name"))
    if not name:
        raise Refused("no-name", "it has no name")
    return PlaceSays(
        name=name,
        address=current_address(resource.get("address")).as_written,
        phones=phones(resource.get("telecom")),
    )
