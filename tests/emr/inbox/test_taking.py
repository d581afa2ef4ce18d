"""The worker's round: claims, leases, what is tried again and what is given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from emr.inbox import claims, taking, visits
from emr.inbox.outcomes import MOST_ATTEMPTS, Outcome
from emr.kinds import Arrival
from emr.models import InboundMessage
from emr.visits import Remote
from scheduling.models import Appointment
from tests.emr.inbox.conftest import Joined
from tests.emr.peers import Fault

READ = ("GET", "Appointment")


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425])
def test_a_server_in_trouble_is_asked_again_later(joined: Joined, status: int) -> None:
    joined.peer.fail(Fault.STATUS(status), on=READ)
    message = joined.tell(joined.add(joined.clock()))
    assert (message.state, message.attempts) == (Arrival.RECEIVED, 1)
    InboundMessage.objects.update(not_before=timezone.now())
    taking.take_in()
    assert Appointment.objects.count() == 1


def test_a_server_that_says_when_is_left_alone_until_then(joined: Joined) -> None:
    joined.peer.fail(Fault.RATE_LIMIT(after=90), on=READ)
    message = joined.tell(joined.add(joined.clock()))
    left = message.not_before - timezone.now()
    assert timedelta(seconds=80) < left < timedelta(seconds=100)


@pytest.mark.parametrize("fault", [Fault.HTML_502, Fault.TRUNCATED, Fault.RESET_BEFORE])
def test_nonsense_is_no_answer(joined: Joined, fault: Fault) -> None:
    joined.peer.fail(fault, on=READ)
    assert joined.tell(joined.add(joined.clock())).state == Arrival.RECEIVED
    assert not Appointment.objects.exists()


def test_a_refusal_is_kept_as_dead_with_its_codes(joined: Joined) -> None:
    joined.peer.fail(Fault.STATUS(403), on=READ)
    message = joined.tell(joined.add(joined.clock()))
    assert message.state == Arrival.DEAD
    assert message.codes


def test_a_dead_one_can_be_looked_at_again(joined: Joined) -> None:
    joined.peer.fail(Fault.STATUS(403), on=READ)
    message = joined.tell(joined.add(joined.clock()))
    assert claims.again(message, now=timezone.now()) is True
    assert claims.again(message, now=timezone.now()) is False
    taking.take_in()
    assert Appointment.objects.count() == 1


def test_after_too_many_attempts_somebody_has_to_look(joined: Joined) -> None:
    message = joined.receive(joined.add(joined.clock()))
    InboundMessage.objects.update(attempts=MOST_ATTEMPTS - 1)
    joined.peer.fail(Fault.STATUS(500), on=READ)
    taking.take_in()
    message.refresh_from_db()
    assert (message.state, message.codes[0]) == (Arrival.DEAD, "too-often")


def test_what_a_dead_worker_held_is_taken_when_its_lease_is_over(joined: Joined) -> None:
    joined.receive(joined.add(joined.clock()))
    (held,) = claims.claim(joined.connection.pk, most=10, now=timezone.now())
    taking.take_in()
    assert not Appointment.objects.exists()
    InboundMessage.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    taking.take_in()
    assert Appointment.objects.count() == 1
    late = claims.settle(held, Outcome(Arrival.DEAD), now=timezone.now())
    assert (late, InboundMessage.objects.get().state) == (False, Arrival.DONE)


def test_of_one_resource_only_the_first_is_claimed(joined: Joined) -> None:
    first, other = joined.receive("a1"), joined.receive("a2")
    joined.receive("a1")
    claimed = claims.claim(joined.connection.pk, most=10, now=timezone.now())
    assert [one.pk for one in claimed] == [first.pk, other.pk]
    assert claims.claim(joined.connection.pk, most=10, now=timezone.now()) == []


def test_a_crash_after_the_booking_makes_no_second_visit(
    joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link is written with the visit, in one transaction; what comes after is done again."""
    message = joined.receive(joined.add(joined.clock(), status="arrived"))

    def die(*_args: object, **_kwargs: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("emr.inbox.newcomers._proceed", die)
        with pytest.raises(SystemExit):
            taking.take_in()
    assert Appointment.objects.get().arrived_at is None
    InboundMessage.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    taking.take_in()
    message.refresh_from_db()
    assert message.state == Arrival.DONE
    assert Appointment.objects.get().arrived_at is not None


def test_a_fault_in_one_message_stops_no_other_and_names_nobody(
    joined: Joined, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = joined.add(joined.clock()), joined.add(joined.clock("11:00"))
    faulty = joined.receive(first)
    joined.receive(second)
    take = visits.take

    def stumble(remote: Remote, **more: Any) -> Outcome:
        if remote.remote_id == first:
            raise LookupError("a fault")
        return take(remote, **more)

    monkeypatch.setattr(visits, "take", stumble)
    taking.take_in()
    faulty.refresh_from_db()
    assert (faulty.state, faulty.codes) == (Arrival.RECEIVED, ["LookupError"])
    assert Appointment.objects.get().scheduled_start == joined.clock("11:00")
    assert joined.patient.family_name not in caplog.text


def test_a_connection_that_is_closed_is_not_asked(joined: Joined) -> None:
    joined.receive(joined.add(joined.clock()))
    joined.connection.is_active = False
    joined.connection.save()
    taking.take_in()
    assert InboundMessage.objects.get().state == Arrival.RECEIVED
