"""The cast that most tests share, and a network that ends at this machine."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.actors import Actor
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    UserFactory,
    VisitTypeFactory,
)

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
connect = socket.socket.connect


def _connect_nearby(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
        raise PermissionError(f"tests use no network: {address}")
    connect(self, address)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _connect_nearby)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Nobody has asked for anything yet: throttles count in the cache."""
    cache.clear()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def clinic(db: None) -> Clinic:
    return ClinicFactory.create(name="Riverside Clinic", slug="riverside")


@pytest.fixture
def provider(clinic: Clinic) -> Provider:
    """A bookable provider with hours, Monday to Friday from 8:00 to 17:00."""
    return ProviderFactory.create(clinic=clinic, name="Dr. Amara Diallo", working=True)


@pytest.fixture
def visit_type(db: None) -> VisitType:
    """Half an hour without buffers."""
    return VisitTypeFactory.create(code="FOLLOW_UP", label="Follow-up")


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic)


@pytest.fixture
def desk(db: None) -> Actor:
    """A receptionist."""
    return Actor.staff(UserFactory.create().pk)
