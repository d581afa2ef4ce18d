"""What Practitioner and PractitionerRole resources say. Whether an NPI is valid is not asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emr.fhir.codes import Coding, languages, specialty
from emr.fhir.errors import Refused
from emr.fhir.identifiers import npis
from emr.fhir.identity import referenced_id
from emr.fhir.names import current_name
from emr.fhir.tolerant import flag


@dataclass(frozen=True, slots=True)
class PractitionerSays:
    name: str
    npis: tuple[str, ...]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleSays:
    practitioner_id: str
    specialty: Coding


def read_practitioner(resource: Mapping[str, Any]) -> PractitionerSays:
    """Raises Refused without a name."""
    name = current_name(resource.get("name"))
    if name is None:
        raise Refused("no-name", "it has no name")
    return PractitionerSays(
        name=name.as_written,
        npis=npis(resource.get("identifier")),
        languages=languages(resource.get("communication")),
    )


def read_role(resource: Mapping[str, Any]) -> RoleSays:
    """Raises Refused for a role that is over, names nobody, or has no NUCC specialty."""
    if flag(resource.get("active")) is False:
        raise Refused("inactive", "the role is over")
    practitioner_id = referenced_id(resource.get("practitioner"))
    if not practitioner_id:
        raise Refused("no-practitioner", "it does not say whose role it is")
    found = specialty(resource.get("specialty"))
    if found is None:
        raise Refused("no-specialty", "it names no specialty of the NUCC taxonomy")
    return RoleSays(practitioner_id=practitioner_id, specialty=found)
