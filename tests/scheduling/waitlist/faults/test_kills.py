"""A worker is killed anywhere in a chain of offers: the next one goes on, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from reminders.models import Notice
from scheduling.models import SlotHold
from scheduling.tasks import offer
from tests.factories import ProviderFactory, at, next_monday
from tests.factories.waitlist import entry_of, opening_of
from tests.scheduling.waitlist.ageing import grow_old
from tests.scheduling.waitlist.faults.worker import REACH, STEPS
from tests.scheduling.waitlist.scene import told

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).parents[4]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _any_time(settings: Any, jobs_wait: None) -> None:
    """Everybody can be told at any hour; nobody works the queue of messages here."""
    settings.OFFER_REACH = REACH


def kill_at(step: str) -> None:
    name = str(connection.settings_dict["NAME"])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.scheduling.waitlist.faults.worker", name, step],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        word = process.stdout.readline().strip()
        process.kill()
    assert word == "there"


def start_of_the_gap() -> datetime:
    return at(next_monday(1), "10:00")


@pytest.mark.parametrize("step", STEPS)
def test_the_chain_goes_on(step: str) -> None:
    provider = ProviderFactory.create(working=True)
    gap = opening_of(provider, start_of_the_gap())
    now = timezone.now()
    first = entry_of(provider=provider, created_at=now - 2 * HOUR)
    second = entry_of(provider=provider, created_at=now - HOUR)
    offer()
    assert told(gap) == [(first, "OFFERED")]
    grow_old(gap, by=2 * HOUR)
    kill_at(step)
    before = told(gap)
    assert before in ([(first, "OFFERED")], [(first, "EXPIRED")])
    offer()
    assert told(gap) == [(first, "EXPIRED"), (second, "OFFERED")]
    (hold,) = SlotHold.objects.live()
    assert hold.visit_start == start_of_the_gap()
    told_of = Notice.objects.order_by("created_at").values_list("offer__entry", flat=True)
    assert set(told_of) == {first.pk, second.pk}
    gap.refresh_from_db()
    assert gap.next_at > now
