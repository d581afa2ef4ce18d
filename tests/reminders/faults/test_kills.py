"""A worker is killed at every step of a send: nothing is sent twice, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from reminders.kinds import CallReason, State
from reminders.models import CallItem, Delivery, Reminder
from tests.reminders.crowd import crowd
from tests.reminders.faults.processes import quarter_of_an_hour, worker
from tests.reminders.faults.steps import STEPS
from tests.reminders.faults.waiting import somebody_waits_for_a_lock, wait_for
from tests.reminders.vendors.loopback import silent, slow
from tests.reminders.vendors.twilio_server import TwilioServer

pytestmark = pytest.mark.django_db(transaction=True)
# Before these nothing was said to anybody; after them the vendor has the first text, and only it.
UNSAID = [step for step in STEPS if "answer" not in step and "written" not in step]
SAID = ["after the vendor's answer", "after it is written down"]


def kill_at(step: str, server: TwilioServer) -> None:
    with worker(server, step) as one:
        one.go()
        one.hears("there")


def taken(server: TwilioServer) -> Counter[str]:
    return Counter(text.to for text in server.taken)


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def let_a_quarter_of_an_hour_pass() -> None:
    for _minute in quarter_of_an_hour():
        pass


@pytest.mark.parametrize("step", UNSAID)
def test_killed_before_the_vendor_was_spoken_to(step: str, twilio: TwilioServer) -> None:
    rows = crowd(3, now=timezone.now())
    kill_at(step, twilio)
    assert twilio.asked == []
    let_a_quarter_of_an_hour_pass()
    assert taken(twilio) == {row.appointment.patient.phone: 1 for row in rows}
    assert states() == {State.SENT: 3}
    assert Reminder.objects.exclude(sent_at=None).count() == 3


@pytest.mark.parametrize("step", SAID)
def test_killed_when_the_vendor_had_it(step: str, twilio: TwilioServer) -> None:
    rows = crowd(3, now=timezone.now())
    kill_at(step, twilio)
    assert len(twilio.taken) == 1
    let_a_quarter_of_an_hour_pass()
    assert taken(twilio) == {row.appointment.patient.phone: 1 for row in rows}
    assert states() == {State.SENT: 3}
    assert Reminder.objects.exclude(sent_at=None).count() == 3


def test_killed_while_the_vendor_withholds_its_answer(twilio: TwilioServer) -> None:
    rows = crowd(3, now=timezone.now())
    twilio.fail(silent(takes=True))
    with worker(twilio) as one:
        one.go()
        wait_for_the_first(twilio)
    assert states() == {State.SENDING: 1, State.CLAIMED: 2}
    let_a_quarter_of_an_hour_pass()
    assert taken(twilio) == {row.appointment.patient.phone: 1 for row in rows}
    assert states() == {State.SENT: 3}


def test_killed_when_the_vendor_had_read_it_and_not_taken_it(twilio: TwilioServer) -> None:
    """The control of the one before: what the vendor's list does not hold goes out again."""
    rows = crowd(3, now=timezone.now())
    twilio.fail(silent(takes=False))
    with worker(twilio) as one:
        one.go()
        wait_for(lambda: len(twilio.asked) == 1)
    assert twilio.taken == []
    let_a_quarter_of_an_hour_pass()
    assert taken(twilio) == {row.appointment.patient.phone: 1 for row in rows}
    assert states() == {State.SENT: 3}


def test_killed_while_its_last_word_waits_in_the_database(twilio: TwilioServer) -> None:
    """Before its commit: the row is locked by somebody else, so that it cannot be written."""
    rows = crowd(1, now=timezone.now())
    with worker(twilio, "after the vendor's answer") as one:
        one.go()
        one.hears("there")
        with transaction.atomic():
            Delivery.objects.select_for_update().get()
            one.go()
            wait_for(lambda: somebody_waits_for_a_lock("coalesce(delivered_at"))
            one.kill()
            assert states() == {State.SENDING: 1}
    let_a_quarter_of_an_hour_pass()
    assert taken(twilio) == {rows[0].appointment.patient.phone: 1}
    assert states() == {State.SENT: 1}


def test_killed_when_the_vendor_had_it_and_its_list_cannot_be_read(
    twilio: TwilioServer, settings: Any
) -> None:
    """Nobody can know: it is not sent again, and a person is told within a quarter of an hour."""
    rows = crowd(1, now=timezone.now())
    kill_at("after the vendor's answer", twilio)
    settings.TWILIO_AUTH_TOKEN = "no longer valid"
    raised_after = None
    for minute, _at in enumerate(quarter_of_an_hour()):
        if raised_after is None and Delivery.objects.exclude(raised_at=None).exists():
            raised_after = minute
    assert raised_after is not None
    assert raised_after <= 11
    assert taken(twilio) == {rows[0].appointment.patient.phone: 1}
    assert states() == {State.UNKNOWN: 1}
    (call,) = CallItem.objects.all()
    assert (call.reason, call.appointment_id) == (CallReason.UNSURE, rows[0].appointment_id)


def test_a_worker_that_was_only_slow_writes_nothing_over_what_others_found_out(
    twilio: TwilioServer,
) -> None:
    """Its lease ends while the vendor thinks; another finds the text; then comes the answer."""
    crowd(1, now=timezone.now())
    twilio.fail(slow(60))
    with worker(twilio) as one:
        one.go()
        wait_for_the_first(twilio)
        let_a_quarter_of_an_hour_pass()
        found = Delivery.objects.values().get()
        assert found["state"] == State.SENT
        twilio.ended.set()
        one.end()
    assert Delivery.objects.values().get() == found


def wait_for_the_first(server: TwilioServer) -> None:
    wait_for(lambda: len(server.taken) == 1)
