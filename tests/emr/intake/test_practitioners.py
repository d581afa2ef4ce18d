"""Practitioners become providers who are not bookable; one NPI is one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emr.intake.kinds import Target
from providers.models import Clinic, Provider, Specialty
from tests.emr.conftest import Importer, Resource
from tests.factories import ProviderFactory

Make = Callable[..., Resource]
NPI, OTHER_NPI = "1234567893", "1245319599"
pytestmark = pytest.mark.django_db


def with_npi(*values: str) -> list[dict[str, Any]]:
    return [{"system": "http://hl7.org/fhir/sid/us-npi", "value": value} for value in values]


def role(practitioner_id: str, code: str, display: str = "", role_id: str = "r") -> Resource:
    coding = {"system": "http://nucc.org/provider-taxonomy", "code": code, "display": display}
    return {
        "resourceType": "PractitionerRole",
        "id": role_id,
        "practitioner": {"reference": f"Practitioner/{practitioner_id}"},
        "specialty": [{"coding": [coding]}],
    }


def test_a_valid_npi_is_kept_and_nobody_becomes_bookable(
    run_import: Importer, resource: Make
) -> None:
    spanish = {"coding": [{"system": "urn:ietf:bcp:47", "code": "es"}]}
    made = resource("Practitioner", identifier=with_npi("300", NPI), communication=[spanish])
    assert run_import([made]).codes == []
    provider = Provider.objects.get()
    assert (provider.npi_number, provider.languages) == (NPI, ["es"])
    assert provider.is_active is False


def test_an_npi_that_is_not_valid_is_dropped_and_reported(
    run_import: Importer, resource: Make
) -> None:
    run = run_import([resource("Practitioner", identifier=with_npi("300"))])
    assert run.codes == ["npi"]
    assert Provider.objects.get().npi_number is None


def test_a_practitioner_whose_npi_is_here_joins_that_provider_unchanged(
    run_import: Importer, resource: Make
) -> None:
    known = ProviderFactory.create(name="Dr. Known", npi_number=NPI)
    made = resource("Practitioner", identifier=with_npi(NPI))
    assert run_import([made]).codes == ["npi-known"]
    provider = Provider.objects.get()
    assert (provider.pk, provider.name, provider.is_active) == (known.pk, "Dr. Known", True)
    assert run_import([made]).count("Practitioner", "unchanged") == 1


def test_a_bookable_provider_keeps_the_npi_that_the_source_lost(
    run_import: Importer, resource: Make
) -> None:
    ProviderFactory.create(npi_number=NPI)
    run_import([resource("Practitioner", identifier=with_npi(NPI))])
    name = [{"family": "Renamed", "prefix": ["Dr."]}]
    run = run_import([resource("Practitioner", name=name)])
    assert run.count("Practitioner", "updated") == 1
    provider = Provider.objects.get()
    assert (provider.name, provider.npi_number, provider.is_active) == ("Dr. Renamed", NPI, True)


def test_an_npi_that_another_provider_took_is_reported(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource("Practitioner", identifier=with_npi(NPI))])
    ProviderFactory.create(npi_number=OTHER_NPI)
    run = run_import([resource("Practitioner", identifier=with_npi(OTHER_NPI))])
    assert run.codes == ["npi-taken"]
    assert Provider.objects.filter(npi_number=NPI).count() == 1


def test_a_name_too_long_is_cut_and_reported(run_import: Importer, resource: Make) -> None:
    run = run_import([resource("Practitioner", name=[{"family": "x" * 200}])])
    assert run.codes == ["name"]
    assert Provider.objects.get().name == "x" * 120


def test_a_role_gives_its_specialty_though_it_comes_first(
    run_import: Importer, resource: Make
) -> None:
    run_import([role("1", "207Q00000X", "Family Medicine")], [resource("Practitioner")])
    specialty = Specialty.objects.get()
    assert (specialty.nucc_code, specialty.name) == ("207Q00000X", "Family Medicine")
    assert Provider.objects.get().specialty == specialty


def test_a_changed_role_changes_the_specialty(run_import: Importer, resource: Make) -> None:
    run_import([resource("Practitioner"), role("1", "207Q00000X", "Family Medicine")])
    run_import([role("1", "207R00000X", "Internal Medicine")])
    assert Provider.objects.get().specialty == Specialty.objects.get(nucc_code="207R00000X")


def test_a_second_role_does_not_take_the_first_ones_place(
    run_import: Importer, resource: Make
) -> None:
    roles = [
        role("1", "207Q00000X", "Family Medicine", "r1"),
        role("1", "207R00000X", "Internal Medicine", "r2"),
    ]
    assert run_import([resource("Practitioner"), *roles]).codes == ["specialty"]
    run_import([role("1", "208000000X", "Pediatrics", "r2")])
    assert Provider.objects.get().specialty == Specialty.objects.get(nucc_code="207Q00000X")


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (role("nobody", "207Q00000X", "Family Medicine"), "unknown-practitioner"),
        (role("1", "207R00000X"), "specialty-unnamed"),
        (role("1", "heart", "Heart"), "specialty-code"),
        (role("1", "207R00000X", "Family Medicine"), "specialty-name"),
    ],
)
def test_a_role_that_cannot_be_understood_is_refused(
    run_import: Importer, resource: Make, made: Resource, code: str
) -> None:
    Specialty.objects.create(name="Family Medicine", nucc_code="207Q00000X")
    run = run_import([resource("Practitioner"), made])
    assert run.codes == [code]
    assert Provider.objects.get().specialty is None


def test_practitioners_go_to_the_clinic_that_was_named(
    run_import: Importer, resource: Make, clinic: Clinic
) -> None:
    run_import([resource("Practitioner")], target=Target(clinic=clinic, source="x"))
    assert Provider.objects.get().clinic == clinic
