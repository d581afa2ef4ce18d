"""What is kept of a patient, and what is kept away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from patients.models import Patient, PatientIdentifier
from tests.emr.conftest import Importer, Resource

Make = Callable[..., Resource]
pytestmark = pytest.mark.django_db


def phone(value: str, **rest: Any) -> dict[str, Any]:
    return {"system": "phone", "value": value} | rest


def numbered(value: str) -> list[dict[str, Any]]:
    return [{"type": {"coding": [{"code": "MR"}]}, "system": "urn:h", "value": value}]


def test_a_merely_possible_phone_is_kept_as_not_textable(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(telecom=[phone("555-929-9025", use="home")])])
    patient = Patient.objects.get()
    assert (patient.phone, patient.phone_is_textable) == ("+15559299025", False)
    assert list(Patient.objects.reached_at(phone="+15559299025")) == [patient]


def test_a_number_that_can_be_texted_goes_before_one_that_cannot(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(telecom=[phone("555-929-9025", use="mobile"), phone("617-253-1000")])])
    patient = Patient.objects.get()
    assert (patient.phone, patient.phone_is_textable) == ("+16172531000", True)


def test_contacts_that_are_none_are_reported_and_the_patient_kept(
    run_import: Importer, resource: Make
) -> None:
    mail = {"system": "email", "value": "not an address"}
    run = run_import([resource(telecom=[phone("12"), mail], birthDate="1980-05")])
    assert run.codes == ["phone", "email", "birth-date"]
    patient = Patient.objects.get()
    assert (patient.phone, patient.email, patient.dob) == ("", "", None)


def test_an_email_can_be_found_afterwards_and_a_changed_one_too(
    run_import: Importer, resource: Make
) -> None:
    for address in ("Jo@Example.org", "jo2@example.org"):
        run_import([resource(telecom=[{"system": "email", "value": address}])])
        assert Patient.objects.reached_at(email=address.lower()).count() == 1
    assert Patient.objects.reached_at(email="jo@example.org").count() == 0


def test_a_contact_withdrawn_at_the_source_is_withdrawn_here(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource(telecom=[phone("617-253-1000")])])
    run_import([resource()])
    patient = Patient.objects.get()
    assert (patient.phone, patient.phone_is_textable) == ("", False)


def test_record_numbers_are_kept_and_new_ones_added(run_import: Importer, resource: Make) -> None:
    run_import([resource(identifier=numbered("A"))])
    run_import([resource(identifier=numbered("B"))])
    patient = Patient.objects.get()
    kept = PatientIdentifier.objects.filter(patient=patient, source_system="urn:h")
    assert set(kept.values_list("value", flat=True)) == {"A", "B"}


def test_a_record_number_of_somebody_else_is_reported_and_the_patient_kept(
    run_import: Importer, resource: Make
) -> None:
    people = [resource(resource_id=key, identifier=numbered("A")) for key in ("1", "2")]
    run = run_import(people)
    assert run.codes == ["record-number"]
    assert run.findings[0].resource_id == "2"
    assert Patient.objects.count() == 2


def test_a_record_number_too_long_to_keep_is_reported(run_import: Importer, resource: Make) -> None:
    assert run_import([resource(identifier=numbered("9" * 300))]).codes == ["record-number"]
    assert Patient.objects.count() == 1
    assert PatientIdentifier.objects.count() == 0
