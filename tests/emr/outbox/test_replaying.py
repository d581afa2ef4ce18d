"""What a person sends again, and what they say need not go."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from emr.kinds import State, Why
from emr.models import OutboundMessage
from emr.outbox import writing
from emr.outbox.replaying import NotStuck, drop, replay
from patients.models import AuditEntry
from patients.models.audit import Act
from tests.emr.outbox.scene import MINUTE, Scene
from tests.emr.peers import Fault
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def stuck(at_generic: Scene) -> OutboundMessage:
    at_generic.book()
    at_generic.peer.fail(Fault.STATUS(422))
    at_generic.push()
    return at_generic.message()


def test_it_is_sent_again_with_fresh_attempts(
    at_generic: Scene, stuck: OutboundMessage, django_capture_on_commit_callbacks: Any
) -> None:
    by = UserFactory.create()
    with django_capture_on_commit_callbacks() as queued:
        replay(stuck, by=by, now=timezone.now())
    assert [call.args for call in queued] == [(writing.PUSH, str(stuck.connection_id))]
    row = at_generic.message()
    assert (row.state, row.attempts, row.codes, row.why) == (State.QUEUED, 0, [], Why.NONE)
    at_generic.push()
    assert len(at_generic.remote) == 1
    changed = AuditEntry.objects.filter(action=Act.UPDATE, actor=by)
    assert changed.get().patient_ids == [stuck.patient_id]


def test_what_was_perhaps_sent_is_looked_for_first(
    at_generic: Scene, stuck: OutboundMessage
) -> None:
    at_generic.peer.fail(Fault.RESET_AFTER_STORE)
    replay(stuck, by=UserFactory.create(), now=timezone.now())
    at_generic.push()
    OutboundMessage.objects.update(state=State.DEAD.value, why=Why.TOO_OFTEN.value)
    replay(stuck, by=UserFactory.create(), now=timezone.now())
    at_generic.push(later=MINUTE)
    assert len(at_generic.remote) == 1
    assert at_generic.states == {State.DONE: 1}


def test_it_is_said_that_it_need_not_go(at_generic: Scene, stuck: OutboundMessage) -> None:
    drop(stuck, by=UserFactory.create(), now=timezone.now())
    row = at_generic.message()
    assert (row.state, row.why) == (State.SKIPPED, Why.BY_HAND)
    with pytest.raises(NotStuck):
        replay(stuck, by=UserFactory.create(), now=timezone.now())


@pytest.mark.parametrize("state", [State.DONE, State.SENDING, State.CLAIMED, State.SKIPPED])
def test_what_is_not_stuck_is_left_alone(stuck: OutboundMessage, state: State) -> None:
    OutboundMessage.objects.update(state=state.value)
    for verb in (replay, drop):
        with pytest.raises(NotStuck):
            verb(stuck, by=UserFactory.create(), now=timezone.now())
    assert not AuditEntry.objects.filter(action=Act.UPDATE, field_names=["state"]).exists()


def test_a_patient_who_is_being_asked_for_anew_needs_no_second_message(
    at_generic: Scene, stuck: OutboundMessage
) -> None:
    OutboundMessage.objects.update(what="PATIENT", appointment=None)
    writing.ask_for_patient(stuck.patient, connection=at_generic.connection, now=timezone.now())
    replay(OutboundMessage.objects.get(pk=stuck.pk), by=UserFactory.create(), now=timezone.now())
    stuck.refresh_from_db()
    assert (stuck.state, stuck.why) == (State.SKIPPED, Why.SUPERSEDED)
