"""Systems that tell nothing are asked: as often as they should be, by one at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from emr import arrivals
from emr.failures import EMRError
from emr.inbox import polling, taking
from emr.models import ConnectionState, InboundMessage
from scheduling.models import Appointment
from tests.emr.inbox.conftest import Joined
from tests.emr.peers import Fault


@pytest.fixture
def polled(joined: Joined) -> Joined:
    """A connection that was polled once, so that later changes count."""
    joined.connection.polls_every_minutes = 5
    joined.connection.save()
    polling.poll(joined.connection.pk, now=timezone.now() - timedelta(minutes=10))
    return joined


def ask(joined: Joined) -> int | None:
    return polling.poll(joined.connection.pk, now=timezone.now())


def test_changes_since_the_last_time_are_kept_and_taken(polled: Joined) -> None:
    polled.add(polled.clock())
    assert ask(polled) == 1
    taking.take_in()
    assert Appointment.objects.count() == 1


def test_what_was_told_is_not_kept_again(polled: Joined) -> None:
    remote = polled.add(polled.clock())
    ask(polled)
    assert ask(polled) == 0
    taking.take_in()
    assert ask(polled) == 0
    polled.move(remote, polled.clock("11:00"))
    assert ask(polled) == 1


def test_our_own_changes_are_not_told_to_us(polled: Joined) -> None:
    polled.shared(polled.clock())
    assert ask(polled) == 0


def test_a_connection_is_asked_only_when_its_time_has_come(polled: Joined) -> None:
    ask(polled)
    now = timezone.now()
    assert polling.is_due(polled.connection.pk, now=now) is False
    assert polling.is_due(polled.connection.pk, now=now + timedelta(minutes=5)) is True
    polled.peer.calls.clear()
    polling.poll_due(now=now)
    assert polled.peer.calls == []


def test_one_asks_at_a_time(polled: Joined) -> None:
    ConnectionState.objects.update(poll_lease_until=timezone.now() + timedelta(minutes=1))
    assert ask(polled) is None
    ConnectionState.objects.update(poll_lease_until=timezone.now() - timedelta(minutes=1))
    assert ask(polled) == 0


def test_a_failure_keeps_the_cursor_and_the_lease_ends(polled: Joined) -> None:
    polled.add(polled.clock())
    before = ConnectionState.objects.get().cursor
    polled.peer.fail(Fault.STATUS(500), on=("GET", "Appointment"))
    with pytest.raises(EMRError):
        ask(polled)
    state = ConnectionState.objects.get()
    assert (state.cursor, state.poll_lease_until) == (before, None)
    assert ask(polled) == 1


def test_what_cannot_be_kept_is_asked_for_again(
    polled: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor moves with the rows, or not at all."""
    polled.add(polled.clock())
    before = ConnectionState.objects.get().cursor

    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(arrivals, "receive", fail)
        with pytest.raises(RuntimeError):
            ask(polled)
    assert ConnectionState.objects.get().cursor == before
    assert not InboundMessage.objects.exists()
    assert ask(polled) == 1
