"""The desk's tasks from the record system: shown to those who can do them, done once, put back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from emr import queries
from emr.kinds import TaskKind
from emr.models import EMRConnection, EMRTask
from emr.reopening import reopen
from patients.models import AuditEntry, Patient
from patients.models.audit import Act
from providers.models import Provider
from scheduling.models import Appointment
from tests.emr.views.asking import cost
from tests.factories.emr_work import task_of

TASKS = reverse("emr:tasks")


def text_of(client: Client, address: str = TASKS) -> str:
    return client.get(address).content.decode()


@pytest.fixture
def order(connection: EMRConnection, patient: Patient) -> EMRTask:
    return task_of(
        connection,
        TaskKind.ORDER,
        patient=patient,
        resource_type="ServiceRequest",
        resource_id="sr-88",
    )


def test_an_order_leads_to_booking_a_visit_for_its_patient(
    desk: Client, order: EMRTask, patient: Patient
) -> None:
    page = text_of(desk)
    assert "Order to be booked: Ada Moreno" in page
    assert "ServiceRequest/sr-88" in page
    assert f"{reverse('desk:book')}?patient={patient.pk}" in page


@pytest.mark.parametrize("kind", list(TaskKind))
def test_every_kind_of_task_has_words_and_a_hint(
    kind: TaskKind, desk: Client, connection: EMRConnection, visit: Appointment
) -> None:
    task_of(connection, kind, patient=visit.patient, appointment=visit)
    page = text_of(desk)
    assert kind.value not in page
    assert "Ada Moreno" in page
    assert "9:30" in page


def test_a_task_is_done_once_and_says_by_whom(
    desk: Client, order: EMRTask, receptionist: User
) -> None:
    done = reverse("emr:task_done", args=[order.pk])
    assert desk.post(done).status_code == 302
    order.refresh_from_db()
    first = order.closed_at
    assert order.closed_by == receptionist
    assert AuditEntry.objects.filter(
        object_pk=str(order.pk), action=Act.UPDATE, actor=receptionist
    ).exists()
    desk.post(done)
    order.refresh_from_db()
    assert order.closed_at == first
    assert "Ada Moreno" not in text_of(desk).partition("<h1>")[2]
    assert "Ada Moreno" in text_of(desk, f"{TASKS}?show=closed")


def test_a_task_that_is_done_can_be_put_back(desk: Client, order: EMRTask) -> None:
    desk.post(reverse("emr:task_done", args=[order.pk]))
    desk.post(reverse("emr:task_open", args=[order.pk]))
    order.refresh_from_db()
    assert (order.closed_at, order.closed_by) == (None, None)


def test_a_task_is_not_put_back_beside_a_new_one_of_the_same_visit(
    connection: EMRConnection, visit: Appointment, receptionist: User, now: object
) -> None:
    about = {"patient": visit.patient, "appointment": visit}
    closed = task_of(connection, TaskKind.NO_SHOW, closed_at=now, closed_by=receptionist, **about)
    task_of(connection, TaskKind.NO_SHOW, **about)
    assert not reopen(closed)
    closed.refresh_from_db()
    assert closed.closed_at is not None


def test_a_providers_own_task_is_not_the_desks_unless_they_have_no_account(
    desk: Client, connection: EMRConnection, provider: Provider, patient: Patient
) -> None:
    task_of(connection, TaskKind.RESULT, patient=patient, provider=provider)
    assert "Result to follow up" not in text_of(desk)
    assert queries.needs_at([connection.clinic_id]).tasks == 0
    User.objects.filter(provider=provider).update(is_active=False)
    queries.forget()
    assert "Result to follow up" in text_of(desk)
    assert queries.needs_at([connection.clinic_id]).tasks == 1
    Provider.objects.filter(pk=provider.pk).update(user=None, is_active=False)
    assert "Result to follow up" in text_of(desk)


def test_another_clinics_task_is_not_there(desk: Client, elsewhere: Appointment) -> None:
    there = EMRConnection.objects.get(clinic=elsewhere.clinic)
    task = task_of(there, TaskKind.NOTE, patient=elsewhere.patient, appointment=elsewhere)
    assert "Write the note there" not in text_of(desk)
    assert desk.post(reverse("emr:task_done", args=[task.pk])).status_code == 404


def test_the_menu_counts_what_needs_somebody(desk: Client, order: EMRTask) -> None:
    assert "Record system (1)" in text_of(desk, reverse("desk:board"))


def test_a_clinic_without_a_record_system_sees_nothing_of_it(desk: Client) -> None:
    assert "Record system" not in text_of(desk, reverse("desk:board"))


def test_the_list_asks_as_much_for_twenty_as_for_one(
    desk: Client, connection: EMRConnection, visit: Appointment
) -> None:
    about = {"patient": visit.patient, "appointment": visit, "resource_type": "Appointment"}
    task_of(connection, TaskKind.BESIDE_OTHERS, **about, resource_id="0")
    one = cost(desk, TASKS)
    for number in range(1, 20):
        task_of(connection, TaskKind.BESIDE_OTHERS, **about, resource_id=str(number))
    assert cost(desk, TASKS) == one
