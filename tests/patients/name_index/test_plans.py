"""However little the server knows of the table, people are read by their ids and not by clinic."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.name_index.reading import CHANGED, ROWS
from patients.search import MOST, find
from providers.models import Clinic
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db
IDS = [uuid4() for _ in range(MOST)]


@pytest.fixture(autouse=True)
def no_walks() -> None:
    """So few rows as a test has would be read from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")


def plan_of(question: str, values: dict[str, Any] | None = None) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {question}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def is_by_id_alone(plan: str) -> bool:
    return "patients_patient_pkey" in plan and "BitmapAnd" not in plan


def test_all_names_are_read_by_id(clinic: Clinic) -> None:
    plan = plan_of(ROWS, {"clinic": clinic.pk, "ids": IDS, "oldest": "1"})
    assert is_by_id_alone(plan), plan


def test_changed_names_are_read_by_id(clinic: Clinic) -> None:
    plan = plan_of(CHANGED, {"clinic": clinic.pk, "since": "1", "doubtful": IDS})
    assert is_by_id_alone(plan), plan


def test_those_who_are_shown_are_read_by_id(clinic: Clinic) -> None:
    for _ in range(MOST):
        PatientFactory.create(clinic=clinic, name="Ana Torres")
    with CaptureQueriesContext(connection) as asked:
        find(clinics=[clinic], text="torres", today=timezone.now().date())
    (records,) = (query["sql"] for query in asked if '"patients_patient"."phone"' in query["sql"])
    plan = plan_of(records)
    assert is_by_id_alone(plan), plan
