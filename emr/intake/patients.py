"""Makes and changes patients from Patient resources. Which words to keep was decided before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from emr.fhir.errors import Refused
from emr.fhir.identity import Identity
from emr.fhir.patient import PatientSays, read_patient
from emr.intake.kinds import Columns, Reading, Remark, Taken, Target, best_phone, save_changes
from patients.contacts import parse_email
from patients.models import Patient, PatientIdentifier
from patients.suggesting import suggest_pair

_NUMBERS = "record_numbers"
_BAD_PHONE = Remark("phone", "no phone number given could be one: kept without")
_BAD_EMAIL = Remark("email", "the e-mail address is none: kept without")
_PARTIAL_DOB = Remark("birth-date", "the date of birth is not a whole date: kept without")
_LONGEST_NUMBER = 255
_LONG_NUMBER = Remark("record-number", "a record number is too long: kept without")
_KNOWN_NUMBER = Remark("record-number", "another patient has this record number: kept without")


class PatientIntake:
    model = Patient

    def read(self, identity: Identity, resource: Mapping[str, Any]) -> Reading:
        says = read_patient(resource)
        phone, email = best_phone(says.phones), _best_email(says.emails)
        remarks = (
            (_BAD_PHONE, bool(says.phones) and phone is None),
            (_BAD_EMAIL, bool(says.emails) and not email),
            (_PARTIAL_DOB, says.dob_is_partial),
        )
        contacts: dict[str, Columns] = {
            "phone": {
                "phone": phone.number if phone else "",
                "phone_is_textable": bool(phone and phone.is_textable),
            },
            "email": {"email": email},
        }
        return Reading(
            identity=identity,
            parts=_parts(says) | contacts,
            remarks=tuple(remark for remark, applies in remarks if applies),
        )

    def check(self, row: Patient, *, target: Target) -> None:
        if row.clinic_id != target.clinic.pk:
            raise Refused("other-clinic", "the patient's record here belongs to another clinic")

    def create(self, reading: Reading, *, target: Target) -> Taken:
        columns = reading.columns()
        numbers = columns.pop(_NUMBERS)
        patient = Patient(clinic=target.clinic, **columns)
        patient.save(force_insert=True)
        return Taken(patient, _keep_numbers(patient, numbers, target))

    def update(
        self, row: Patient, reading: Reading, *, parts: Collection[str], target: Target
    ) -> Taken:
        columns = reading.columns(parts)
        numbers = columns.pop(_NUMBERS, [])
        save_changes(row, columns)
        return Taken(row, _keep_numbers(row, numbers, target))


def _parts(says: PatientSays) -> dict[str, Columns]:
    return {
        "name": {
            "given_name": says.name.given,
            "family_name": says.name.family,
            "name_suffix": says.name.suffix,
        },
        "dob": {"dob": says.dob},
        "sex": {"sex": says.sex},
        "address": {
            "address_line": says.address.line,
            "city": says.address.city,
            "state": says.address.state,
            "postal_code": says.address.postal_code,
        },
        "language": {"language": says.language or "en"},
        "interpreter": {"needs_interpreter": says.needs_interpreter},
        _NUMBERS: {_NUMBERS: [[number.system, number.value] for number in says.record_numbers]},
    }


def _best_email(written: Collection[str]) -> str:
    for text in written:
        try:
            return parse_email(text)
        except ValidationError:
            continue
    return ""


def _keep_numbers(patient: Patient, numbers: list[list[str]], target: Target) -> tuple[Remark, ...]:
    """Add record numbers that nobody has yet. One that is gone at the source stays on file."""
    remarks = []
    for system, value in numbers:
        if max(len(system), len(value)) > _LONGEST_NUMBER:
            remarks.append(_LONG_NUMBER)
            continue
        kept, _ = PatientIdentifier.objects.get_or_create(
            source_system=system or target.source, value=value, defaults={"patient": patient}
        )
        if kept.patient_id != patient.pk:
            remarks.append(_KNOWN_NUMBER)
            suggest_pair(patient, kept.patient, number=(kept.source_system, value))
    return tuple(remarks)
