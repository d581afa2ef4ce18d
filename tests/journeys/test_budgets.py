"""What the busiest pages may ask the database, with the record of the look among it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from tests.factories import AppointmentFactory, PatientFactory
from tests.journeys.portal_booking import (
    address,
    first_day,
)
from tests.scheduling.desk_cast import MONDAY, NINE, at_the_desk, book_url, key_in

pytestmark = pytest.mark.django_db
# Opening and closing a transaction are no questions.
NO_QUESTIONS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "COMMIT")


def cost(client: Client, method: str, where: str, data: Any = None) -> list[str]:
    send: Any = getattr(client, method)
    with CaptureQueriesContext(connection) as asked:
        answer = send(where, data or {})
    assert answer.status_code in {200, 302, 303}, answer.content[:2000]
    return [query["sql"] for query in asked if not query["sql"].startswith(NO_QUESTIONS)]


def recorded(questions: list[str]) -> int:
    return sum("daysheet_record(" in question for question in questions)


@pytest.fixture
def desk(clinic: Clinic, visit_type: VisitType) -> Client:
    return at_the_desk(clinic)


def test_the_day_board_asks_eight(desk: Client, provider: Provider, visit_type: VisitType) -> None:
    AppointmentFactory.create(provider=provider, visit_type=visit_type, start=NINE)
    where = f"{reverse('desk:board')}?day={MONDAY}"
    cost(desk, "get", where)
    questions = cost(desk, "get", where)
    assert len(questions) <= 8
    assert recorded(questions) == 1


def test_a_patients_page_asks_eight(desk: Client, clinic: Clinic, provider: Provider) -> None:
    patient = PatientFactory.create(clinic=clinic)
    AppointmentFactory.create(provider=provider, patient=patient, start=NINE)
    where = reverse("desk:patient", args=[patient.pk])
    cost(desk, "get", where)
    questions = cost(desk, "get", where)
    assert len(questions) <= 8
    assert recorded(questions) == 1


@pytest.mark.parametrize("name", ["days", "times"])
def test_a_page_of_free_times_asks_six_and_leaves_no_record(
    name: str, client: Client, provider: Provider, visit_type: VisitType
) -> None:
    where = address(name, day=first_day(client).isoformat())
    cost(client, "get", where)
    questions = cost(client, "get", where)
    assert len(questions) <= 6
    assert recorded(questions) == 0


def test_a_booking_at_the_desk_asks_twelve(
    desk: Client, clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    for start in (NINE, NINE.replace(hour=NINE.hour + 1)):
        patient: Patient = PatientFactory.create(clinic=clinic)
        where = book_url(provider, start, patient)
        key = key_in(desk.get(where))
        form = {"key": key, "type": visit_type.code, "step": "book"}
        questions = cost(desk, "post", where, form)
    assert len(questions) <= 12, "\n".join(questions)
    assert recorded(questions) == 1
