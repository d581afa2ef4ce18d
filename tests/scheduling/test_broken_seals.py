"""A page that meets a value which does not open says that something failed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from config.logging import JSONFormatter
from patients.models import Patient
from providers.models import Clinic
from tests.factories import PatientFactory
from tests.patients.rings import NEW, WRONG
from tests.scheduling.desk_cast import at_the_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Anastasia Torres", city="Fairhaven")


@pytest.fixture
def ben(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Benedict Okafor", city="Port Kent")


def stored(row: Patient, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM patients_patient WHERE id = %s", [row.pk])  # noqa: S608
        return str(cursor.fetchone()[0])


def store(row: Patient, column: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE patients_patient SET {column} = %s WHERE id = %s", [value, row.pk])  # noqa: S608


DAMAGE: dict[str, Callable[[str, str], str]] = {
    "another row's": lambda own, other: other,
    "cut short": lambda own, other: own[:40],
    "changed": lambda own, other: own[:-1] + ("A" if own[-1] != "A" else "B"),
    "plain": lambda own, other: "Anastasia",
    "of an unknown key": lambda own, other: own.replace("1.", "1.x", 1),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_value_is_a_failure_that_tells_nothing(
    ana: Patient, ben: Patient, clinic: Clinic, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = DAMAGE[damage](stored(ana, "given_name"), stored(ben, "given_name"))
    store(ana, "given_name", spoilt)
    client = at_the_desk(clinic)
    client.raise_request_exception = False
    with caplog.at_level("DEBUG"):
        answer = client.get(reverse("desk:patient", args=[ana.pk]))
    assert answer.status_code == 500
    page = answer.content.decode()
    logged = "\n".join(JSONFormatter().format(record) for record in caplog.records)
    for word in (
        "Anastasia",
        "Benedict",
        "Fairhaven",
        "Torres",
        *filter(None, (spoilt, spoilt[20:36])),
    ):
        assert word not in page
        assert word not in logged.replace("test_a_damaged_value", "")
    assert "patients.crypto" in logged


@pytest.mark.parametrize("keys", [WRONG, NEW])
def test_with_a_wrong_key_nobody_is_signed_in_and_nothing_is_shown(
    ana: Patient, clinic: Clinic, keys: str
) -> None:
    client: Client = at_the_desk(clinic)
    with override_settings(DATA_KEYS=keys):
        answer = client.get(reverse("desk:patient", args=[ana.pk]))
    assert (answer.status_code, "Anastasia" in answer.content.decode()) == (302, False)
