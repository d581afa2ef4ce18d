"""Two dispatchers at once, and a task that runs twice: everybody is told once.

Counted at the vendor, a process of its own, and not in the ledger.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.utils import timezone

from config.settings.vendors import channels
from reminders import claims, gathering, tasks
from reminders.kinds import Channel, State
from reminders.models import Delivery, Reminder
from tests.races.crew import Crew
from tests.reminders.crowd import crowd
from tests.reminders.faults.processes import worker
from tests.reminders.vendors.twilio_server import TwilioServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]
MANY = 1_000
SECOND = timedelta(seconds=1)


def told(server: TwilioServer) -> Counter[str]:
    return Counter(text.to for text in server.taken)


def numbers(rows: list[Reminder]) -> dict[str, int]:
    return {row.appointment.patient.phone: 1 for row in rows}


def test_two_dispatchers_tell_a_thousand_people_once() -> None:
    """One of the two also gathers; they send what is queued already, and what that adds."""
    rows = crowd(MANY, now=timezone.now())
    later = [row.pk for row in rows[MANY // 2 :]]
    Reminder.objects.filter(pk__in=later).update(due_at=timezone.now() + 30 * SECOND)
    gathering.gather(now=timezone.now())
    Reminder.objects.filter(pk__in=later).update(due_at=timezone.now())
    with TwilioServer() as server, ExitStack() as stack:
        both = [stack.enter_context(worker(server, threads=4)) for _worker in range(2)]
        for one in both:
            one.go()
        sent = [one.end() for one in both]
    assert told(server) == numbers(rows)
    assert len(server.taken) == sum(sent) == MANY
    assert min(sent) > 0  # both were at it
    assert Delivery.objects.filter(state=State.SENT).count() == MANY
    assert Reminder.objects.exclude(sent_at=None).count() == MANY


@pytest.mark.parametrize("threads", [2, 8])
def test_a_task_that_runs_twice_or_eight_times_at_once_doubles_nothing(
    threads: int, settings: Any
) -> None:
    rows = crowd(60, now=timezone.now())
    with TwilioServer() as server, Crew(threads) as crew:
        settings.CHANNELS = channels(email="smtp", sms="twilio", push="off")
        for name, value in server.settings.items():
            setattr(settings, name, value)
        for answer in crew.race([tasks.remind] * threads):
            assert isinstance(answer, dict), answer
        assert crew.race([tasks.remind] * threads) == [{}] * threads
    assert told(server) == numbers(rows)


def test_without_the_lock_on_claimed_rows_two_take_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: claims that look first and write afterwards are made twice."""
    crowd(8, now=timezone.now())
    gathering.gather(now=timezone.now())
    with Crew(2) as crew:
        take = partial(claims.claim, channels=list(Channel), most=8, now=timezone.now())
        once = _ids(crew.race([take, take]))
        assert len(once) == len(set(once)) == 8
        Delivery.objects.update(state=State.QUEUED.value)
        looked = Barrier(2)
        found = crew.race([partial(_look_and_write, looked)] * 2)
        assert found == [8, 8]


def _ids(answers: list[object]) -> list[object]:
    return [delivery.pk for claimed in answers for delivery in claimed]  # type: ignore[attr-defined]


def _look_and_write(looked: Barrier) -> int:
    found = list(Delivery.objects.filter(state=State.QUEUED.value).values_list("pk", flat=True))
    looked.wait(30)
    for key in found:
        Delivery.objects.filter(pk=key).update(
            state=State.CLAIMED.value, lease_until=timezone.now()
        )
    return len(found)
