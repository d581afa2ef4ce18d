"""Who is put forward as possibly the same person, and in which order."""

from __future__ import annotations

from datetime import date

import pytest
from pytest_django import DjangoAssertNumQueries

from patients.models import Patient
from patients.name_index import candidates
from providers.models import Clinic
from tests.factories import ClinicFactory, PatientFactory

BORN = date(1961, 4, 7)


def names(clinic: Clinic, given: str, family: str, dob: date | None = BORN) -> list[str]:
    found = candidates(clinic, family=family, given=given, dob=dob)
    known = Patient.objects.in_bulk(found)
    return [known[pk].full_name for pk in found]


@pytest.mark.parametrize(
    ("given", "family", "dob"),
    [
        ("Ana", "Torres", BORN),
        ("Anna", "Torrez", BORN),
        ("ANA", "Ruiz", BORN),
        ("Torres", "Ana", BORN),
        ("Ana", "Torres", date(1961, 7, 4)),
        ("Ana", "Tores", date(1961, 4, 8)),
        ("Ana", "Torres", date(1916, 4, 7)),
        ("Ána María", "Torres", None),
        ("Torres", "Ana", None),
    ],
)
def test_who_may_be_the_same_is_put_forward(
    clinic: Clinic, given: str, family: str, dob: date | None
) -> None:
    PatientFactory.create(clinic=clinic, given_name="Ana María", family_name="Torres", dob=BORN)
    PatientFactory.create(clinic=clinic, given_name="Ben", family_name="Okafor", dob=BORN)
    PatientFactory.create(
        clinic=clinic, given_name="Ana", family_name="Stone", dob=date(1999, 1, 1)
    )
    assert names(clinic, given, family, dob) == ["Ana María Torres"]


@pytest.mark.parametrize(
    ("given", "family", "dob"),
    [
        ("Eva", "Stone", BORN),
        ("Ana", "Torres", date(1975, 11, 23)),
        ("Ana", "Stone", date(1961, 4, 8)),
        ("Ana", "Stone", None),
        ("", "", None),
        ("", "", BORN),
    ],
)
def test_who_is_plainly_another_is_not(
    clinic: Clinic, given: str, family: str, dob: date | None
) -> None:
    PatientFactory.create(clinic=clinic, name="Ana Torres", dob=BORN)
    assert names(clinic, given, family, dob) == []


def test_a_record_without_a_birthday_needs_both_names(clinic: Clinic) -> None:
    PatientFactory.create(clinic=clinic, name="Ana Torres", dob=None)
    PatientFactory.create(clinic=clinic, name="Ana Lopez", dob=None)
    assert names(clinic, "Anna", "Torres") == ["Ana Torres"]


def test_the_likeliest_come_first_and_at_most_so_many(clinic: Clinic) -> None:
    rows = [("Ana Ruiz", BORN), ("Ana Torres", None), ("Ana Torrez", date(1961, 7, 4)),
            ("Ana Torres", BORN)]  # fmt: skip
    made = [PatientFactory.create(clinic=clinic, name=name, dob=dob) for name, dob in rows]
    found = candidates(clinic, family="Torres", given="Ana", dob=BORN)
    assert found == [made[at].pk for at in (3, 0, 2, 1)]
    assert candidates(clinic, family="Torres", given="Ana", dob=BORN, most=1) == found[:1]


def test_other_clinics_and_merged_records_are_left_out(clinic: Clinic) -> None:
    kept = PatientFactory.create(clinic=clinic, name="Ana Torres", dob=BORN)
    PatientFactory.create(clinic=clinic, name="Ana Torres", dob=BORN, merged_into=kept)
    PatientFactory.create(clinic=ClinicFactory.create(), name="Ana Torres", dob=BORN)
    assert candidates(clinic, family="Torres", given="Ana", dob=BORN) == [kept.pk]


def test_it_is_one_query_however_many_there_are(
    clinic: Clinic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    PatientFactory.create_batch(30, clinic=clinic)
    candidates(clinic, family="Moreno", given="Ada", dob=BORN)
    with django_assert_num_queries(1):
        candidates(clinic, family="Moreno", given="Ada", dob=BORN)
