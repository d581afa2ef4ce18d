"""The finder's search over a clinic's records."""

from datetime import date

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from patients.looks import Look, looking
from patients.models import Patient
from patients.name_index import shelf
from patients.search import MOST, find
from providers.models import Clinic
from tests.factories import ClinicFactory, PatientFactory

TODAY = date(2026, 6, 9)


def names(clinic: Clinic, text: str, limit: int = MOST) -> list[str]:
    return [
        p.full_name for p in find(clinics=[clinic], text=text, today=TODAY, limit=limit).patients
    ]


@pytest.fixture
def cast(clinic: Clinic) -> list[Patient]:
    rows = [
        ("Ana Torres", date(1961, 4, 7), "+12125550134"),
        ("Víctor Peña", date(1961, 7, 4), "+12125550177"),
        ("Torrance Wills", date(1990, 1, 1), "+12125550188"),
        ("Eva Castor", date(2001, 3, 3), ""),
        ("Tor Amundsen", None, ""),
    ]
    return [
        PatientFactory.create(clinic=clinic, name=name, dob=dob, phone=phone)
        for name, dob, phone in rows
    ]


@pytest.mark.usefixtures("cast")
def test_exact_comes_before_a_beginning_and_that_before_a_part(clinic: Clinic) -> None:
    assert names(clinic, "tor") == ["Tor Amundsen", "Ana Torres", "Torrance Wills", "Eva Castor",
                                    "Víctor Peña"]  # fmt: skip


@pytest.mark.usefixtures("cast")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pena", ["Víctor Peña"]),
        ("PEÑA victor", ["Víctor Peña"]),
        ("4/7/61", ["Víctor Peña", "Ana Torres"]),
        ("7 abril 1961", ["Ana Torres"]),
        ("0134", ["Ana Torres"]),
        ("(212) 555-0134", ["Ana Torres"]),
        ("+1 212 555 0134 torres", ["Ana Torres"]),
        ("+1 212 555 0134 pena", []),
        ("212555017", ["Víctor Peña"]),
        ("torres 1/1/1990", []),
        ("zzz", []),
    ],
)
def test_everything_typed_must_be_answered(clinic: Clinic, text: str, found: list[str]) -> None:
    assert sorted(names(clinic, text)) == sorted(found)


@pytest.mark.usefixtures("cast")
def test_less_than_three_letters_show_nobody(clinic: Clinic) -> None:
    matches = find(clinics=[clinic], text="to", today=TODAY)
    assert matches.is_too_short
    assert list(matches.patients) == []


@pytest.mark.usefixtures("cast")
def test_no_more_are_shown_than_asked_for_and_it_is_said_so(clinic: Clinic) -> None:
    matches = find(clinics=[clinic], text="tor", today=TODAY, limit=2)
    assert len(matches.patients) == 2
    assert matches.has_more
    assert not find(clinics=[clinic], text="tor", today=TODAY, limit=5).has_more


def test_another_clinics_patients_are_not_found(clinic: Clinic, cast: list[Patient]) -> None:
    other = ClinicFactory.create()
    PatientFactory.create(clinic=other, name="Ana Torres", phone=cast[0].phone)
    assert len(names(clinic, "torres")) == 1
    assert len(names(clinic, "212 555 0134")) == 1
    assert len(find(clinics=[clinic, other], text="torres", today=TODAY).patients) == 2


def test_a_record_merged_into_another_is_left_out(clinic: Clinic, cast: list[Patient]) -> None:
    double = PatientFactory.create(clinic=clinic, name="Ana Torres", merged_into=cast[0])
    found = find(clinics=[clinic], text="torres", today=TODAY).patients
    assert double not in found
    assert cast[0] in found


def test_a_search_asks_for_changes_and_reads_those_who_are_shown(
    clinic: Clinic,
    cast: list[Patient],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    names(clinic, "tor")
    with django_assert_num_queries(2):
        for patient in find(clinics=[clinic], text="tor", today=TODAY).patients:
            assert (patient.full_name, patient.dob, patient.phone) is not None


@override_settings(LOOKS_MUST_BE_RECORDED=True)
def test_a_search_puts_those_on_record_who_are_shown_and_nobody_else(
    clinic: Clinic, cast: list[Patient]
) -> None:
    with looking(Look()) as look:
        shown = find(clinics=[clinic], text="tor", today=TODAY, limit=2).patients
        assert look.patients == set()
        assert [patient.full_name for patient in shown] == ["Tor Amundsen", "Ana Torres"]
    assert look.patients == {patient.pk for patient in shown}
    assert look.fields == {"given_name", "family_name", "name_suffix"}


def test_who_is_merged_between_the_look_and_the_reading_is_not_shown(
    clinic: Clinic, cast: list[Patient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that says too much is set right by the records themselves."""
    names(clinic, "torres")
    with shelf.lent(clinic) as index:
        monkeypatch.setattr(index, "change", lambda rows: None)
    Patient.objects.filter(pk=cast[0].pk).update(merged_into=cast[1])
    assert names(clinic, "torres") == []
