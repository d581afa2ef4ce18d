"""Who on file may be the person that somebody tells of, and what looking for them leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pytest_django.asserts import assertNumQueries

from patients.duplicates import alike, facts_of, numbers_of
from patients.looks import Look, looking
from patients.matching import Band
from patients.models import AuditEntry, Patient, PatientIdentifier
from patients.privacy.wording import reason_words
from patients.registration import Details, register
from providers.models import Clinic
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db
ADA = Details(
    given_name="Ada",
    family_name="Moreno Ruiz",
    dob=date(1984, 2, 29),
    email="ada@mail.example",
    phone="+12125550100",
    insurance_member_id="XK 4471",
)
NOWHERE: dict[str, Any] = {"email": "", "phone": "", "insurance_member_id": ""}


def like(clinic: Clinic, besides: Patient | None = None, **changes: Any) -> list[Patient]:
    told = facts_of(replace(ADA, **changes))
    found = alike(clinic=clinic, facts=told, besides=besides.pk if besides else None)
    return [one.patient for one in found]


@pytest.mark.parametrize(
    ("change", "is_alike"),
    [
        ({}, True),
        (NOWHERE, True),
        (NOWHERE | {"given_name": "ADÁ", "family_name": "Moreno-Ruiz"}, True),
        (NOWHERE | {"given_name": "Moreno Ruiz", "family_name": "Ada"}, True),
        (NOWHERE | {"family_name": "Lindqvist", "given_name": "Adah"}, False),
        (NOWHERE | {"family_name": "Morenno Ruiz"}, True),
        ({"family_name": "Lindqvist"}, True),
        ({"family_name": "Lindqvist", "email": "", "phone": "", "dob": None}, False),
        ({"dob": date(1948, 2, 29), "email": "", "phone": ""}, True),
        ({"dob": None}, True),
        ({"given_name": "Zoe"}, False),
        ({"given_name": "Zoe", "dob": None}, False),
        (NOWHERE | {"given_name": "Zoe", "family_name": "Lind"}, False),
        (NOWHERE | {"dob": date(1984, 3, 1)}, False),
        (NOWHERE | {"dob": None}, False),
    ],
)
def test_records_that_may_be_the_same_persons_are_found(
    clinic: Clinic, change: dict[str, Any], *, is_alike: bool
) -> None:
    known = register(clinic=clinic, details=ADA)
    PatientFactory.create(clinic=clinic, name="Ben Okafor")
    assert like(clinic, **change) == ([known] if is_alike else [])


def test_no_record_is_alike_to_itself_to_a_joined_one_or_to_another_clinics(clinic: Clinic) -> None:
    known = register(clinic=clinic, details=ADA)
    joined = register(clinic=clinic, details=ADA)
    Patient.objects.filter(pk=joined.pk).update(merged_into=known)
    elsewhere = PatientFactory.create(email=ADA.email, given_name="Ada", family_name="Moreno Ruiz")
    assert like(clinic, besides=known) == []
    assert like(elsewhere.clinic) == [elsewhere]


def test_the_likeliest_comes_first(clinic: Clinic) -> None:
    maybe = register(clinic=clinic, details=replace(ADA, **NOWHERE))
    surely = register(clinic=clinic, details=ADA)
    assert like(clinic) == [surely, maybe]


def test_a_number_of_another_system_finds_its_patient_under_any_name(clinic: Clinic) -> None:
    known = register(clinic=clinic, details=ADA)
    PatientIdentifier.objects.create(patient=known, source_system="urn:hospital", value="88121")
    told = facts_of(
        replace(ADA, given_name="Zoe", family_name="Lind", **NOWHERE), [("urn:hospital", "88121")]
    )
    (found,) = alike(clinic=clinic, facts=told)
    assert (found.patient, found.score.band) == (known, Band.POSSIBLE)
    assert numbers_of(known) == {("urn:hospital", "88121")}


def test_who_is_read_to_be_compared_is_in_a_record_of_its_own(clinic: Clinic) -> None:
    known = register(clinic=clinic, details=ADA)
    brother = register(clinic=clinic, details=replace(ADA, given_name="Beniamino"))
    with looking(Look()) as shown:
        (found,) = like(clinic)
        assert shown.patients == set()
        assert found.full_name == "Ada Moreno Ruiz"
    assert shown.patients == {known.pk}
    row = AuditEntry.objects.filter(purpose="finding_doubles").latest("id")
    assert set(row.patient_ids) == {known.pk, brother.pk}
    assert (row.system_actor, row.clinic) == ("system:matching", clinic)
    assert reason_words(row.purpose) == "To check that you have only one record"


def test_the_number_of_queries_does_not_grow_with_the_clinic(clinic: Clinic) -> None:
    register(clinic=clinic, details=ADA)
    like(clinic)
    with assertNumQueries(6) as few:
        like(clinic)
    PatientFactory.create_batch(20, clinic=clinic, dob=ADA.dob, given_name="Ada")
    like(clinic)
    with assertNumQueries(len(few)):
        like(clinic)
