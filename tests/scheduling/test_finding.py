"""Patients as the desk finds them: by reference too, and with the visits around now."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.finding import Answer, find_patients, with_visits
from scheduling.models import Appointment, CancelReason
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    at,
    next_monday,
)

DAY = timedelta(days=1)


@pytest.fixture
def user(clinic: Clinic) -> User:
    return MembershipFactory.create(clinic=clinic).user


def look(text: str, clinic: Clinic, user: User, now: datetime | None = None) -> Answer:
    return find_patients(text, clinics=[clinic], user=user, now=now or timezone.now())


@pytest.fixture
def visits(provider: Provider, patient: Patient, visit_type: VisitType) -> list[Appointment]:
    """Four visits in a row, on Monday to Thursday at nine."""
    return [
        AppointmentFactory.create(
            provider=provider,
            patient=patient,
            visit_type=visit_type,
            start=at(next_monday() + number * DAY, "09:00"),
        )
        for number in range(4)
    ]


def test_the_visits_around_now_are_the_last_and_the_next(
    clinic: Clinic, user: User, patient: Patient, visits: list[Appointment]
) -> None:
    between = visits[1].scheduled_start + timedelta(hours=1)
    (found,) = look(patient.family_name, clinic, user, between).found
    assert (found.last_visit, found.next_visit) == (visits[1], visits[2])


def test_a_cancelled_visit_is_neither_next_nor_last(
    clinic: Clinic, user: User, desk: Actor, patient: Patient, visits: list[Appointment]
) -> None:
    now = timezone.now()
    booking.cancel(appointment=visits[0], reason=CancelReason.PATIENT_REQUEST, by=desk, now=now)
    (found,) = look(patient.family_name, clinic, user, now).found
    assert (found.last_visit, found.next_visit) == (None, visits[1])


def test_a_reference_finds_its_patient_however_it_is_written(
    clinic: Clinic, user: User, patient: Patient, visits: list[Appointment]
) -> None:
    reference = visits[0].reference
    for text in (reference, reference.lower(), f"{reference[:4]}-{reference[4:]}"):
        assert [found.patient for found in look(text, clinic, user).found] == [patient]


def test_a_reference_of_another_clinics_patient_finds_nobody(
    clinic: Clinic, user: User, visits: list[Appointment]
) -> None:
    stranger = MembershipFactory.create(clinic=ClinicFactory.create())
    assert not look(visits[0].reference, stranger.clinic, stranger.user).found
    assert look(visits[0].reference, clinic, user).found


def test_three_letters_are_asked_for(clinic: Clinic, user: User) -> None:
    assert look("to", clinic, user).is_too_short


def test_the_number_of_queries_does_not_grow_with_the_rows(
    clinic: Clinic, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(2):
        PatientFactory.create(clinic=clinic, name=f"Ana Torres{number}")
    look("torres", clinic, user)  # what is new is read once
    with django_assert_num_queries(4):
        assert len(look("torres", clinic, user).found) == 2
    for number in range(20):
        patient = PatientFactory.create(clinic=clinic, name=f"Bea Torres{number}")
        AppointmentFactory.create(patient=patient, provider__clinic=clinic)
    look("torres", clinic, user)
    with django_assert_num_queries(4):
        answer = look("torres", clinic, user)
        assert len(answer.found) == 20
        assert answer.has_more
        assert [found.next_visit and found.next_visit.local_start for found in answer.found]


def test_the_order_is_kept(clinic: Clinic, user: User, now: datetime) -> None:
    patients = PatientFactory.create_batch(3, clinic=clinic)
    found = with_visits(patients[::-1], user=user, now=now)
    assert [one.patient for one in found] == patients[::-1]
