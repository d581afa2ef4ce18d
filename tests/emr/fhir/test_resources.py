"""What whole resources say, and which are refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from emr.fhir.errors import Refused
from emr.fhir.names import Name
from emr.fhir.patient import read_patient
from emr.fhir.place import read_place
from emr.fhir.practitioner import read_practitioner, read_role

NAME = [{"family": "Doe", "given": ["Jo"]}]
FAMILY_MEDICINE = {
    "coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "207Q00000X"}]
}


def test_a_patient_with_only_a_name_is_read_with_everything_else_empty() -> None:
    says = read_patient({"name": NAME, "unknownField": {"deep": [1]}})
    assert says.name == Name(given="Jo", family="Doe")
    assert (says.dob, says.dob_is_partial, says.sex) == (None, False, "unknown")
    assert (says.phones, says.emails, says.language, says.record_numbers) == ((), (), "", ())
    assert says.needs_interpreter is False


def test_a_patient_is_read_in_full() -> None:
    url = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"
    says = read_patient(
        {
            "name": NAME,
            "birthDate": "1980-05-06",
            "gender": "Female",
            "extension": [{"url": url, "valueBoolean": True}],
        }
    )
    assert (says.dob, says.sex, says.needs_interpreter) == (date(1980, 5, 6), "female", True)


def test_a_partial_birth_date_is_told_from_none() -> None:
    assert read_patient({"name": NAME, "birthDate": "1980-05"}).dob_is_partial is True


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"name": NAME, "deceasedBoolean": True}, "deceased"),
        ({"name": NAME, "deceasedBoolean": "true"}, "deceased"),
        ({"name": NAME, "deceasedDateTime": "2008-12-14T03:11:33+00:00"}, "deceased"),
        ({"name": NAME, "deceasedDateTime": "2008"}, "deceased"),
        ({"name": NAME, "active": False}, "inactive"),
        ({}, "no-name"),
    ],
)
def test_a_patient_who_cannot_come_is_refused(resource: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_patient(resource)
    assert refusal.value.code == code


def test_a_patient_said_to_be_alive_is_taken() -> None:
    assert read_patient({"name": NAME, "deceasedBoolean": False}).name.family == "Doe"


def test_a_practitioner_is_called_by_the_whole_name() -> None:
    name = [{"family": "Hettinger594", "given": ["Miquel49"], "prefix": ["Dr."], "suffix": "MD"}]
    assert read_practitioner({"name": name}).name == "Dr. Miquel49 Hettinger594, MD"
    with pytest.raises(Refused, match="no name"):
        read_practitioner({})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"active": False}, "inactive"),
        ({"practitioner": None}, "no-practitioner"),
        ({"specialty": [{"text": "Heart things"}]}, "no-specialty"),
    ],
)
def test_a_role_that_gives_nobody_a_specialty_is_refused(change: dict[str, Any], code: str) -> None:
    role = {"practitioner": {"reference": "Practitioner/1"}, "specialty": [FAMILY_MEDICINE]}
    assert read_role(role).practitioner_id == "1"
    with pytest.raises(Refused) as refusal:
        read_role(role | change)
    assert refusal.value.code == code


def test_a_place_needs_a_name_and_nothing_else() -> None:
    assert read_place({"name": "Annex"}).address == ""
    with pytest.raises(Refused, match="no name"):
        read_place({"address": {"city": "Fall River"}})
