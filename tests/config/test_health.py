"""What machines are told: alive, ready, late or held; and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_q.models import Schedule

from patients import sentinel
from scheduling import block_store
from tests.scheduling.redis_servers import RedisServer

pytestmark = pytest.mark.django_db


def ready() -> tuple[int, dict[str, str]]:
    answer = Client().get("/readyz")
    return answer.status_code, answer.json()


def test_a_clinic_at_work_is_ready() -> None:
    Schedule.objects.update(next_run=timezone.now())
    assert ready() == (200, {"database": "ok", "migrations": "ok", "keys": "ok", "queue": "ok"})


def test_a_queue_that_nobody_works_off_is_told_and_keeps_the_pages() -> None:
    Schedule.objects.update(next_run=timezone.now() - timedelta(hours=1))
    assert ready()[0] == 200
    assert ready()[1]["queue"] == "late"


def test_held_outboxes_are_told() -> None:
    call_command("hold_outboxes")
    assert ready()[1]["queue"] == "held"


@pytest.mark.redis
def test_a_redis_that_is_away_is_told_and_keeps_the_pages(redis_server: RedisServer) -> None:
    assert ready()[1]["redis"] == "ok"
    redis_server.kill()
    block_store.fetch([b"a key"])
    assert ready()[0] == 200
    assert ready()[1]["redis"] == "away"


def test_code_that_waits_for_its_migration_is_not_ready() -> None:
    MigrationRecorder.Migration.objects.filter(app="patients").order_by("-pk")[0].delete()
    assert ready() == (503, {"database": "ok", "migrations": "pending"})


def test_other_keys_than_the_databases_are_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> None:
        raise sentinel.WrongKeys("DATA_KEYS lacks the key 2019.")

    monkeypatch.setattr(sentinel, "prove", wrong)
    status, told = ready()
    assert status == 503
    assert told["keys"] == "wrong"
    assert "2019" not in str(told)


@pytest.mark.parametrize("page", ["/healthz", "/readyz"])
def test_without_a_database_nothing_is(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any) -> None:
        raise OperationalError("password of db.example")

    monkeypatch.setattr(connection, "cursor", away)
    answer = Client().get(page)
    assert answer.status_code == 503
    assert answer.json() == {"database": "unreachable"}
