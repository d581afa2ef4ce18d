"""Jobs run in the clinic's own database, and wait in any copy of it for a person's word."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django_q.brokers import get_broker
from django_q.models import OrmQ

from config.queue import HeldQueue
from patients import outboxes
from patients.models import OutboxHome

pytestmark = pytest.mark.django_db


def as_in_a_copy(column: str) -> None:
    """Let the home be another server's, or another database's, as it is in a restored copy."""
    OutboxHome.objects.update(**{column: F(column) + 1})


def test_a_new_database_is_its_own_home() -> None:
    assert not outboxes.are_held()


@pytest.mark.parametrize("column", ["cluster", "database"])
def test_a_copy_is_held_until_it_is_released(column: str, now: datetime) -> None:
    as_in_a_copy(column)
    assert outboxes.are_held()
    outboxes.settle(now=now)
    assert outboxes.are_held(), "migrating a copy releases nothing"
    call_command("release_outboxes")
    assert not outboxes.are_held()


def test_a_database_without_a_home_is_held(now: datetime) -> None:
    OutboxHome.objects.all().delete()
    assert outboxes.are_held()
    outboxes.settle(now=now)
    assert not outboxes.are_held()


def test_a_person_can_hold_them() -> None:
    call_command("hold_outboxes")
    assert outboxes.are_held()


def test_there_is_one_home(now: datetime) -> None:
    with pytest.raises(IntegrityError, match="one_outbox_home"), transaction.atomic():
        OutboxHome.objects.create(id=2, cluster=1, database=1, released_at=now)


def test_a_held_queue_takes_jobs_and_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_q.conf.Conf.POLL", 0)
    queue = get_broker()
    assert isinstance(queue, HeldQueue)
    queue.enqueue("a job")
    call_command("hold_outboxes")
    assert queue.dequeue() is None
    assert OrmQ.objects.count() == 1
    call_command("release_outboxes")
    assert [payload for _key, payload in queue.dequeue()] == ["a job"]
