"""Patients to find in the record system: compared, linked after a question, made there, or left."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from emr.kinds import State, What, Why
from emr.models import EMRConnection, EMRLink, OutboundMessage, PatientMatch
from patients.models import MatchCandidate, Patient
from providers.models import Clinic
from scheduling.models import Appointment
from tests.emr.views.asking import cost
from tests.factories import PatientFactory
from tests.factories.emr import link_to
from tests.factories.emr_work import match_of, message_of, person_there

PATIENTS = reverse("emr:patients")


@pytest.fixture
def match(patient: Patient, connection: EMRConnection) -> PatientMatch:
    like = person_there(patient, "p-17")
    other = person_there(patient, "p-18", birthDate="1984-12-29")
    return match_of(patient, connection, like, other)


def page_of(client: Client, match: PatientMatch) -> str:
    return client.get(reverse("emr:patient", args=[match.pk])).content.decode()


def test_what_agrees_and_what_differs_is_marked(desk: Client, match: PatientMatch) -> None:
    page = page_of(desk, match)
    assert "MRN-p-17" in page
    assert "December 29, 1984" in page
    assert page.count('class="compare-different"') == 1
    assert "Only here" in page, "the e-mail address"


def test_a_record_that_is_out_of_use_there_cannot_be_chosen(
    desk: Client, patient: Patient, connection: EMRConnection
) -> None:
    gone = match_of(patient, connection, person_there(patient, "p-9", active=False))
    page = page_of(desk, gone)
    assert "not in use there any more" in page
    assert "Same person: link" not in page
    link = reverse("emr:patient_link", args=[gone.pk])
    assert desk.post(link, {"remote_id": "p-9"}).status_code == 400


def test_a_patient_is_linked_after_a_question_and_what_waits_leaves(
    desk: Client,
    match: PatientMatch,
    visit: Appointment,
    connection: EMRConnection,
    jobs_wait: None,
) -> None:
    waiting = message_of(visit, connection, state=State.WAITING.value, why=Why.NO_PATIENT.value)
    link = reverse("emr:patient_link", args=[match.pk])
    question = desk.get(link, {"remote_id": "p-17"}).content.decode()
    assert "Are they the same person?" in question
    assert "MRN-p-17" in question
    assert not EMRLink.objects.filter(resource_type="Patient").exists()
    assert desk.post(link, {"remote_id": "p-17"}).status_code == 302
    made = EMRLink.objects.get(resource_type="Patient")
    assert (made.resource_id, made.local_id) == ("p-17", match.patient_id)
    waiting.refresh_from_db()
    assert waiting.state == State.QUEUED


@pytest.mark.parametrize("told", [{}, {"remote_id": "p-99"}])
def test_somebody_who_was_not_shown_cannot_be_linked(
    told: dict[str, str], desk: Client, match: PatientMatch
) -> None:
    link = reverse("emr:patient_link", args=[match.pk])
    assert desk.post(link, told).status_code == 400
    match.refresh_from_db()
    assert match.closed_at is None


def test_a_record_of_another_patient_is_not_linked_but_both_are_to_be_compared(
    desk: Client, match: PatientMatch, connection: EMRConnection, clinic: Clinic
) -> None:
    twin = PatientFactory.create(clinic=clinic)
    link_to(connection, twin, "Patient", "p-17")
    answer = desk.post(reverse("emr:patient_link", args=[match.pk]), {"remote_id": "p-17"})
    assert answer.status_code == 409
    assert "Compare records" in answer.content.decode().partition("<h1>")[0].rpartition("<main")[2]
    match.refresh_from_db()
    assert match.closed_at is None
    assert not MatchCandidate.objects.exclude(clinic=clinic).exists()


def test_a_new_record_is_asked_for_where_the_connection_makes_some(
    desk: Client, match: PatientMatch, connection: EMRConnection, jobs_wait: None
) -> None:
    make = reverse("emr:patient_make", args=[match.pk])
    assert desk.get(make).status_code == 404
    assert "Make a new record there" not in page_of(desk, match)
    EMRConnection.objects.filter(pk=connection.pk).update(creates_patients=True)
    assert "Make a new record?" in desk.get(make).content.decode()
    assert desk.post(make).status_code == 302
    match.refresh_from_db()
    assert match.result == PatientMatch.Result.CREATED
    asked = OutboundMessage.objects.get(what=What.PATIENT.value)
    assert (asked.act, asked.patient_id) == ("CREATE", match.patient_id)


def test_a_patient_is_left_alone_after_a_question(
    desk: Client, match: PatientMatch, visit: Appointment, connection: EMRConnection
) -> None:
    waiting = message_of(visit, connection, state=State.WAITING.value, why=Why.NO_PATIENT.value)
    leave = reverse("emr:patient_leave", args=[match.pk])
    assert "Nothing about Ada Moreno is sent" in desk.get(leave).content.decode()
    assert desk.post(leave).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.state, waiting.why) == (State.SKIPPED, Why.BY_HAND)
    assert desk.post(leave).status_code == 302, "what is settled stays settled"


def test_another_clinics_patient_is_not_there(desk: Client, elsewhere: Appointment) -> None:
    there = EMRConnection.objects.get(clinic=elsewhere.clinic)
    match = match_of(elsewhere.patient, there, person_there(elsewhere.patient, "p-1"))
    for name in ("patient", "patient_link", "patient_make", "patient_leave"):
        assert desk.get(reverse(f"emr:{name}", args=[match.pk])).status_code == 404
    assert elsewhere.patient.full_name not in desk.get(PATIENTS).content.decode()


def test_the_list_asks_as_much_for_ten_as_for_one(
    desk: Client, match: PatientMatch, connection: EMRConnection, clinic: Clinic
) -> None:
    one = cost(desk, PATIENTS)
    for _number in range(9):
        patient = PatientFactory.create(clinic=clinic)
        match_of(patient, connection, person_there(patient))
    assert cost(desk, PATIENTS) == one
