"""What is queued leaves: in order, within its time, recorded, and by the jobs that call for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import AuditEntry, OneTimeCode
from patients.models.audit import Act, Outcome
from reminders import dispatch, gathering, tasks
from reminders.channels import memory
from reminders.channels.base import Gone, Outgoing, Receipt, Refused, TryLater
from reminders.channels.registry import way
from reminders.composing import compose
from reminders.kinds import Channel, Kind, NoticeKind, State, Why
from reminders.models import CallItem, Delivery, Notice, PushSubscription, Reminder, VendorReport
from reminders.notices import notice
from reminders.outcomes import FIRST_WAIT, LONGEST_WAIT, Pauses, wait_before
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import at
from tests.reminders.crowd import crowd
from tests.reminders.scene import (
    DAY_OF_VISIT,
    HOUR,
    MINUTE,
    TEN,
    Scene,
    news_of,
    plan_of,
    scene,
    states,
)

pytestmark = pytest.mark.django_db
__all__ = ["scene"]


@pytest.fixture
def queued(scene: Scene, now: datetime) -> Iterator[list[Delivery]]:
    """Twelve texts that can leave."""
    crowd(12, now=now)
    gathering.gather(now=now)
    yield list(Delivery.objects.order_by("pk"))


def in_turn(monkeypatch: pytest.MonkeyPatch, channel: Channel, *answers: Any) -> list[Outgoing]:
    """Let a way answer like this, one message after the other; return what it was given."""
    given: list[Outgoing] = []
    left = list(answers)

    def send(message: Outgoing) -> Receipt:
        given.append(message)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Receipt(message.marker, State.SENT)

    monkeypatch.setattr(way(channel), "send", send, raising=False)
    return given


def test_everything_that_is_queued_leaves_and_is_counted(queued: list[Delivery]) -> None:
    done = dispatch.dispatch()
    assert done.as_dict() == {"sent": 12}
    assert len(memory.outbox) == 12
    assert dispatch.dispatch().as_dict() == {}


def test_no_more_leave_than_were_asked_for(queued: list[Delivery]) -> None:
    assert dispatch.dispatch(most=7).sent == 7
    assert Delivery.objects.filter(state=State.QUEUED).count() == 5


def test_when_the_time_is_over_the_rest_stays_queued_and_is_said_to(queued: list[Delivery]) -> None:
    done = dispatch.dispatch(seconds=0)
    assert (done.sent, done.is_unfinished) == (0, True)
    assert set(states()) == {"SMS QUEUED"}


def test_what_is_not_due_yet_stays(queued: list[Delivery], now: datetime) -> None:
    Delivery.objects.update(not_before=now + HOUR)
    assert dispatch.dispatch(clock=lambda: now).sent == 0
    assert dispatch.dispatch(clock=lambda: now + HOUR).sent == 12


def test_news_goes_before_reminders_that_came_first(queued: list[Delivery], now: datetime) -> None:
    visit = Reminder.objects.order_by("-pk")[0].appointment
    notice(
        kind=NoticeKind.RESTORED,
        subject="news",
        channels=[Channel.SMS],
        patient=visit.patient,
        appointment=visit,
        due_at=now,
        not_after=now + HOUR,
    )
    gathering.gather(now=now)
    dispatch.dispatch(most=1)
    assert Notice.objects.get().sent_at is not None


def test_a_send_costs_three_statements_and_its_share_of_a_batch(queued: list[Delivery]) -> None:
    dispatch.dispatch(most=1)
    costs = []
    for most in (1, 9):
        with CaptureQueriesContext(connection) as asked:
            dispatch.dispatch(most=most)
        costs.append(len(asked))
    assert (costs[1] - costs[0]) / 8 == 3  # its link, its beginning with the record, its end


def test_a_visit_that_was_cancelled_is_left_out_of_a_message_of_two(scene: Scene) -> None:
    first, second = scene.visit(), scene.visit(at(DAY_OF_VISIT, "15:00"))
    gathering.gather(now=TEN - 48 * HOUR)
    Appointment.objects.filter(pk=first.pk).update(status="CANCELLED", version=1)
    dispatch.dispatch(clock=lambda: TEN - 48 * HOUR)
    (kept,) = (one for one in memory.outbox if one.channel == Channel.SMS)
    assert "2 " not in kept.message.text.partition(":")[2][:12]
    assert plan_of(first)["FOLLOW_UP SMS"] == "SKIPPED CANCELLED"
    assert plan_of(second)["FOLLOW_UP SMS"] == "TAKEN"
    assert Reminder.objects.get(appointment=first, kind=Kind.FOLLOW_UP).sent_at is None
    assert Reminder.objects.get(appointment=second, kind=Kind.FOLLOW_UP).sent_at is not None


def test_a_failure_goes_on_by_another_way_and_stands_in_the_record(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = scene.visit()
    in_turn(monkeypatch, Channel.SMS, Refused("21211"))
    assert scene.minute(TEN - 48 * HOUR) == []
    assert scene.minute(TEN - 48 * HOUR + MINUTE) == [f"EMAIL to {visit.patient.email}"]
    assert states() == ["SMS FAILED REFUSED", "EMAIL SENT"]
    rows = AuditEntry.objects.filter(system_actor="system:reminders", action=Act.SEND)
    assert [row.outcome for row in rows.order_by("id")] == [
        Outcome.DONE,
        Outcome.FAILED,
        Outcome.DONE,
    ]


def test_a_message_is_recorded_before_it_leaves(
    queued: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[int] = []

    def send(message: Outgoing) -> Receipt:
        recorded.append(AuditEntry.objects.filter(action=Act.SEND).count())
        return Receipt(message.marker, State.SENT)

    monkeypatch.setattr(way(Channel.SMS), "send", send, raising=False)
    dispatch.dispatch()
    assert recorded == list(range(1, 13))


def test_what_cannot_be_recorded_is_not_sent(
    queued: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.privacy.audit.row_of", lambda *_args, **_more: {"action": "none"})
    with pytest.raises(DatabaseError):
        dispatch.dispatch(most=1)
    assert memory.outbox == []


def test_a_browser_that_is_gone_has_ended_and_the_next_one_is_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = scene.visit(is_telehealth=True, confirmation_required=False)
    devices = [
        PushSubscription.objects.create(
            patient=visit.patient,
            endpoint=f"https://updates.push.services.mozilla.com/{name}",
            endpoint_digest=name.encode(),
            p256dh="point",
            auth="secret",
            created_at=timezone.now() + timedelta(seconds=n),
        )
        for n, name in enumerate(("old", "new"))
    ]
    given = in_turn(monkeypatch, Channel.PUSH, Gone("410"), "taken")
    Reminder.objects.exclude(kind=Kind.JOIN).delete()
    scene.minute(TEN - 2 * HOUR)
    assert [one.to[-3:] for one in given] == ["new", "old"]
    for device in devices:
        device.refresh_from_db()
    assert [device.ended_at is None for device in devices] == [True, False]
    assert states() == ["PUSH SENT"]


def test_without_any_browser_left_the_link_to_a_video_visit_is_texted(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = scene.visit(is_telehealth=True, confirmation_required=False)
    Reminder.objects.exclude(kind=Kind.JOIN).delete()
    assert scene.minute(TEN - 2 * HOUR) == [f"SMS to {visit.patient.phone}"]


def test_a_code_goes_to_the_contact_that_asked_and_is_forgotten_then(scene: Scene) -> None:
    asked = OneTimeCode.objects.create(
        purpose=OneTimeCode.Purpose.SIGN_IN,
        contact=scene.patient.email,
        contact_index=bytes(scene.patient.email_index),
        browser_digest=b"browser",
        expires_at=timezone.now() + 10 * MINUTE,
    )
    Notice.objects.create(
        kind=NoticeKind.SIGN_IN_CODE,
        subject=str(asked.pk),
        channel=Channel.EMAIL,
        code=asked,
        due_at=timezone.now(),
        not_after=asked.expires_at,
    )
    assert tasks.dispatch() == {"sent": 1}
    assert mail.outbox[0].to == [scene.patient.email]
    asked.refresh_from_db()
    assert (asked.contact, bool(asked.code_digest)) == ("", True)


def test_a_fault_of_ours_in_one_message_is_told_and_ends_no_other(
    queued: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sometimes(delivery: Delivery, **kwargs: Any) -> Any:
        if delivery.pk == queued[3].pk:
            raise ZeroDivisionError
        return compose(delivery, **kwargs)

    monkeypatch.setattr("reminders.sending.compose", sometimes)
    done = dispatch.dispatch()
    assert done.as_dict() == {"sent": 11, "later": 1}
    row = Delivery.objects.get(pk=queued[3].pk)
    assert (row.state, row.error_code) == (State.QUEUED, "ZeroDivisionError")


def test_a_released_visit_gets_no_reminder(scene: Scene) -> None:
    """At the instant at which both are due, the release is decided first."""
    visit = scene.visit(auto_release_allowed=True)
    for hours in (72, 48):
        scene.minute(TEN - hours * HOUR)
    Delivery.objects.update(state=State.DELIVERED)
    Notice.objects.all().delete()
    with time_machine.travel(TEN - 24 * HOUR, tick=False):
        tasks.remind()
    visit.refresh_from_db()
    assert visit.status == "CANCELLED"
    assert plan_of(visit)["REMINDER SMS"] == "SKIPPED RELEASED"
    assert "RELEASED EMAIL" in news_of(visit)
    assert not CallItem.objects.exists()


def test_reminders_go_although_the_release_fails(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = scene.visit(auto_release_allowed=True)
    Reminder.objects.filter(kind__in=[Kind.REQUEST, Kind.FOLLOW_UP]).delete()

    def fails(_now: datetime) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("reminders.releasing.release_unconfirmed", fails)
    with time_machine.travel(TEN - 24 * HOUR, tick=False), pytest.raises(ZeroDivisionError):
        tasks.remind()
    assert f"SMS to {visit.patient.phone}" in scene.left()


def test_the_task_that_news_calls_sends_no_reminders(queued: list[Delivery], now: datetime) -> None:
    Delivery.objects.all().update(state=State.SENT)
    Reminder.objects.update(standing="PLANNED", delivery=None)
    assert tasks.dispatch() == {}
    assert tasks.remind() == {}  # all had a text today: the caps hold
    assert set(Reminder.objects.values_list("why", flat=True)) == {Why.CAP}


def test_reports_are_kept_for_as_long_as_they_could_come_again(now: datetime) -> None:
    for days in (29, 31):
        VendorReport.objects.create(
            vendor="twilio", event_id=str(days), received_at=now - timedelta(days=days)
        )
    assert tasks.tidy() == {"reports": 1}
    assert VendorReport.objects.get().event_id == "29"


def test_waits_are_random_double_and_heed_the_vendor() -> None:
    for attempt in range(1, 9):
        waits = [wait_before(attempt) for _ in range(200)]
        assert max(waits) <= min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
        assert len(set(waits)) > 50
    assert wait_before(1, after=HOUR) == HOUR


def test_a_vendor_that_turns_one_away_after_the_other_is_left_alone_longer() -> None:
    instant = [0.0]
    pauses = Pauses(lambda: instant[0])
    lefts = []
    for _time in range(9):
        pauses.turned_away(Channel.SMS, None)
        lefts.append(pauses.left(Channel.SMS))
        instant[0] += lefts[-1]
    assert lefts[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(lefts) == 30.0
    pauses.answered(Channel.SMS)
    pauses.turned_away(Channel.SMS, None)
    assert pauses.left(Channel.SMS) == 0.5


def test_a_desk_that_cancels_in_the_last_moment_is_heard(
    queued: list[Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes of what is tried again, either, once the visit is gone."""
    in_turn(monkeypatch, Channel.SMS, *[TryLater("503")] * 12)
    monkeypatch.setattr(dispatch, "pauses", Pauses(lambda: 0.0))
    dispatch.dispatch(most=1)
    tried = Delivery.objects.get(attempts=1)
    visit = tried.reminders.get().appointment
    booking.cancel(appointment=visit, reason="OTHER", by=Actor.patient(), now=timezone.now())
    monkeypatch.undo()
    monkeypatch.setattr(dispatch, "pauses", Pauses())
    dispatch.dispatch(clock=lambda: timezone.now() + MINUTE)
    assert visit.patient.phone not in {one.message.to for one in memory.outbox}
    tried.refresh_from_db()
    assert (tried.state, tried.why) == (State.SKIPPED, Why.CANCELLED)
