"""The cast that most tests share, and a network that ends at this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone, translation
from django_q.conf import Conf
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from reminders import dispatch
from reminders.channels.memory import outbox
from reminders.outcomes import Pauses
from scheduling.actors import Actor
from tests.emptying import quick_emptying
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    UserFactory,
    VisitTypeFactory,
)
from tests.scheduling.redis_servers import RedisServer, running_redis, used_by_the_site
from tests.scheduling.stopped_clock import StoppedClock
from tests.second_factor import shown_by_force_login

# The same examples on every machine, however busy it is.
hypothesis_settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("steady")

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
connect = socket.socket.connect


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "real_sign_in: force_login shows no second factor")


def _connect_nearby(self: socket.socket, address: Any) -> None:
    if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
        raise PermissionError(f"tests use no network: {address}")
    connect(self, address)


# A seal waits for every transaction on the server, and a journey is one long transaction: seals
# come when the journeys are over.
LAST = ("tests/patients/privacy/", "tests/patients/management/")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.nodeid.startswith(LAST))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _connect_nearby)


@pytest.fixture(autouse=True, scope="session")
def _tables_are_emptied_quickly() -> Iterator[None]:
    with quick_emptying():
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A thread or a child process that outlived its test does not keep the database from going."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )


@pytest.fixture(autouse=True)
def _empty_outbox() -> None:
    """No text and no notification was sent yet."""
    outbox.clear()


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Nobody has asked for anything yet: throttles count in the cache."""
    cache.clear()


@pytest.fixture(autouse=True)
def _in_english() -> None:
    """A page that was answered in another language leaves it behind in its thread."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture
def jobs_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be done later is queued, as in a clinic; nobody works the queue here."""
    monkeypatch.setattr(Conf, "SYNC", False)


@pytest.fixture(autouse=True)
def _vendors_are_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """No vendor is left alone because of what another test met with."""
    monkeypatch.setattr(dispatch, "pauses", Pauses())


@pytest.fixture(autouse=True)
def _second_factor(request: pytest.FixtureRequest) -> Iterator[None]:
    """`force_login` counts as a sign-in with a second factor, but for tests of `real_sign_in`."""
    if request.node.get_closest_marker("real_sign_in"):
        yield
        return
    with shown_by_force_login():
        yield


@pytest.fixture
def redis_clock() -> StoppedClock:
    """The clock by which a Redis in trouble is left alone."""
    return StoppedClock()


@pytest.fixture
def redis_server(tmp_path: Path, redis_clock: StoppedClock) -> Iterator[RedisServer]:
    """An empty Redis of the test's own, which the site uses."""
    with running_redis(tmp_path) as server, used_by_the_site(server.url, redis_clock):
        yield server


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
