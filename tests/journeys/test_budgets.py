"""What the busiest pages may ask the database, with the record of the look among it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patients.models import Patient
from providers.models import Clinic, InsurancePlan, Provider, VisitType
from tests.factories import AppointmentFactory, PatientFactory, ProviderFactory
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
@pytest.mark.parametrize("providers", [1, 20])
@pytest.mark.parametrize("has_preferences", [False, True])
def test_a_page_of_free_times_asks_five_and_leaves_no_record(
    name: str,
    providers: int,
    *,
    has_preferences: bool,
    client: Client,
    provider: Provider,
    visit_type: VisitType,
) -> None:
    plan = InsurancePlan.objects.create(payer="Payer", name="Plan", plan_code="P")
    provider.insurance_plans.add(plan)
    ProviderFactory.create_batch(providers - 1, clinic=provider.clinic, working=True)
    wish = {"care": provider.specialty_id, "plan": plan.pk, "provider": provider.pk}
    asked = {key: str(value) for key, value in wish.items()} if has_preferences else {}
    where = address(name, day=first_day(client).isoformat(), **asked)
    cost(client, "get", where)
    questions = cost(client, "get", where)
    assert len(questions) <= 5, "\n".join(questions)
    assert recorded(questions) == 0


@pytest.mark.parametrize("providers", [1, 20])
def test_the_next_available_times_ask_fifteen(
    providers: int, desk: Client, provider: Provider, visit_type: VisitType
) -> None:
    ProviderFactory.create_batch(providers - 1, clinic=provider.clinic, working=True)
    where = f"{reverse('desk:next_available')}?type={visit_type.code}"
    cost(desk, "get", where)
    questions = cost(desk, "get", where)
    assert len(questions) <= 15, "\n".join(questions)
    assert recorded(questions) == 1


def test_a_booking_at_the_desk_asks_thirteen(
    desk: Client, clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    for start in (NINE, NINE.replace(hour=NINE.hour + 1)):
        patient: Patient = PatientFactory.create(clinic=clinic)
        where = book_url(provider, start, patient)
        key = key_in(desk.get(where))
        form = {"key": key, "type": visit_type.code, "step": "book"}
        questions = cost(desk, "post", where, form)
    assert len(questions) <= 13, "\n".join(questions)
    assert recorded(questions) == 1
