"""What a Patient resource says that a clinic needs, and which Patients it cannot take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from emr.fhir.codes import preferred_language
from emr.fhir.contacts import Address, current_address, emails, phones
from emr.fhir.errors import Refused
from emr.fhir.identifiers import Identifier, record_numbers
from emr.fhir.names import Name, current_name
from emr.fhir.tolerant import day, flag, items, text

_INTERPRETER = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
_SEXES = {"female", "male", "other", "unknown"}


@dataclass(frozen=True, slots=True)
class PatientSays:
    """`dob_is_partial`: a date of birth was given, but no whole day could be read from it."""

    name: Name
    dob: date | None
    dob_is_partial: bool
    sex: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    address: Address
    language: str
    needs_interpreter: bool
    record_numbers: tuple[Identifier, ...]


def read_patient(resource: Mapping[str, Any]) -> PatientSays:
    """Raises Refused for somebody deceased, a record out of use, and one without a name."""
    if flag(resource.get("deceasedBoolean")) or text(resource.get("deceasedDateTime")):
        raise Refused("deceased", "the patient is deceased")
    if flag(resource.get("active")) is False:
        raise Refused("inactive", "the source no longer uses this record")
    name = current_name(resource.get("name"))
    if name is None:
        raise Refused("no-name", "it has no name")
    dob, sex = day(resource.get("birthDate")), text(resource.get("gender")).lower()
    return PatientSays(
        name=name,
        dob=dob,
        dob_is_partial=dob is None and bool(text(resource.get("birthDate"))),
        sex=sex if sex in _SEXES else "unknown",
        phones=phones(resource.get("telecom")),
        emails=emails(resource.get("telecom")),
        address=current_address(resource.get("address")),
        language=preferred_language(resource.get("communication")),
        needs_interpreter=_needs_interpreter(resource),
        record_numbers=record_numbers(resource.get("identifier")),
    )


def _needs_interpreter(resource: Mapping[str, Any]) -> bool:
    return any(
        flag(extension.get("valueBoolean"))
        for extension in items(resource.get("extension"))
        if text(extension.get("url")) == _INTERPRETER
    )
