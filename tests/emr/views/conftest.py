"""A clinic with a record system, a visit, and somebody at its desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from emr import queries
from emr.models import EMRConnection
from patients.models import Patient
from providers.models import Clinic, Provider, Role, VisitType
from scheduling.models import Appointment
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    at,
    next_monday,
)
from tests.factories.emr import EMRConnectionFactory


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    """No test sees in its menu what another counted."""
    queries.forget()
    yield
    queries.forget()


@pytest.fixture
def connection(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(clinic=clinic, name="Harbor EHR")


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno", phone="+12125550111")


@pytest.fixture
def visit(provider: Provider, patient: Patient, visit_type: VisitType) -> Appointment:
    start = at(next_monday(1), "09:30")
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=start, patient=patient
    )


@pytest.fixture
def receptionist(clinic: Clinic) -> User:
    user = MembershipFactory.create(clinic=clinic).user
    assert isinstance(user, User)
    return user


@pytest.fixture
def desk(receptionist: User) -> Client:
    client = Client()
    client.force_login(receptionist)
    return client


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    """A clinic admin, who also enters the set-up pages."""
    user = MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def elsewhere(visit_type: VisitType) -> Appointment:
    """A visit of another clinic, which has a record system of its own."""
    there = ClinicFactory.create()
    EMRConnectionFactory.create(clinic=there, name="Hillside EHR")
    provider = ProviderFactory.create(clinic=there, working=True)
    return AppointmentFactory.create(provider=provider, visit_type=visit_type)
