"""Rows from before columns were sealed are sealed by the migration, and found as before."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import connection

from patients.models import Patient
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory

pytestmark = pytest.mark.django_db
migration: Any = import_module("scheduling.migrations.0004_privacy")
PLAIN = {"given_name": "Ada", "family_name": "1. Moreno", "dob": "1987-06-05", "email": ""}


def write(table: str, pk: UUID, **values: str) -> None:
    sets = ", ".join(f"{column} = %s" for column in values)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {sets} WHERE id = %s", [*values.values(), pk])  # noqa: S608


def seal_all() -> None:
    migration.seal_all(apps, SimpleNamespace(connection=connection))


def test_plain_rows_are_sealed_and_sealed_ones_left(patient: Patient) -> None:
    visit = AppointmentFactory.create(patient=patient, reason="A rash")
    sealed = PatientFactory.create(clinic=patient.clinic, given_name="Ben")
    write("patients_patient", patient.pk, **PLAIN, identity_index="")
    write("scheduling_appointment", visit.pk, reason_for_visit="")
    seal_all()
    seal_all()
    row = Patient.objects.get(pk=patient.pk)
    assert (row.given_name, row.family_name, row.dob, row.email) == (
        "Ada",
        "1. Moreno",
        date(1987, 6, 5),
        "",
    )
    assert Appointment.objects.get(pk=visit.pk).reason_for_visit == ""
    assert Patient.objects.get(pk=sealed.pk).given_name == "Ben"


def test_old_rows_get_their_indexes(patient: Patient) -> None:
    known = Patient.objects.get(pk=patient.pk)
    write("patients_patient", patient.pk, identity_index="", phone_index="")
    seal_all()
    again = Patient.objects.get(pk=patient.pk)
    assert bytes(again.identity_index) == bytes(known.identity_index) != b""
    assert bytes(again.phone_index) == bytes(known.phone_index)
