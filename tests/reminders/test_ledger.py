"""The ledger corrected: reports in any order and number, dead workers, and what nobody knows."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from reminders import ledger
from reminders.channels import memory
from reminders.channels.base import CannotLook, Receipt
from reminders.channels.registry import way
from reminders.kinds import CallReason, Channel, Kind, State, Why
from reminders.models import CallItem, Delivery, Reminder
from tests.reminders.scene import HOUR, MINUTE, TEN, Scene, plan_of, scene

pytestmark = pytest.mark.django_db
__all__ = ["scene"]
AT = TEN - 47 * HOUR
REPORTS = (State.SENT, State.DELIVERED, State.FAILED)


@pytest.fixture
def sent(scene: Scene) -> Delivery:
    """A follow-up by text that the vendor has taken."""
    scene.visit()
    scene.minute(TEN - 48 * HOUR)
    Delivery.objects.update(state=State.SENT, delivered_at=None, vendor="twilio", vendor_id="SM1")
    return Delivery.objects.get()


def report(delivery: Delivery, state: State, **more: Any) -> Delivery | None:
    values: dict[str, Any] = {"vendor": "twilio", "vendor_id": "SM1", "at": AT} | more
    return ledger.report(state=state, **values)


def state_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def test_a_report_of_delivery_is_kept_with_its_instant(sent: Delivery) -> None:
    assert report(sent, State.DELIVERED, status="delivered") == sent
    assert state_of(sent) == State.DELIVERED
    assert (sent.delivered_at, sent.vendor_status) == (AT, "delivered")


@pytest.mark.parametrize("order", permutations([State.SENT, State.SENT, State.DELIVERED]))
def test_reports_in_any_order_and_twice_end_as_delivered(
    sent: Delivery, order: tuple[State, ...]
) -> None:
    for state in order:
        report(sent, state)
    assert state_of(sent) == State.DELIVERED


@pytest.mark.parametrize("before", REPORTS)
@pytest.mark.parametrize("after", REPORTS)
def test_no_report_leads_backwards(sent: Delivery, before: State, after: State) -> None:
    report(sent, before)
    report(sent, after)
    ends = {State.DELIVERED, State.FAILED}
    assert state_of(sent) == (before if before in ends else after)


def test_a_report_that_is_quicker_than_the_answer_is_found_by_our_own_id(sent: Delivery) -> None:
    Delivery.objects.update(state=State.SENDING, vendor_id="", lease_until=timezone.now())
    assert report(sent, State.DELIVERED, marker=str(sent.pk)) == sent
    assert state_of(sent) == State.DELIVERED
    assert sent.vendor_id == "SM1"


def test_a_report_about_what_was_thought_not_taken_keeps_it_from_going_twice(
    sent: Delivery, scene: Scene
) -> None:
    Delivery.objects.update(state=State.QUEUED, vendor_id="", not_before=AT)
    report(sent, State.SENT, marker=str(sent.pk))
    assert state_of(sent) == State.SENT
    scene.left()
    assert scene.minute(AT) == []


def test_a_failure_reported_of_what_waits_for_another_try_does_not_end_it(sent: Delivery) -> None:
    Delivery.objects.update(state=State.QUEUED, vendor_id="")
    report(sent, State.FAILED, marker=str(sent.pk))
    assert state_of(sent) == State.QUEUED


@pytest.mark.parametrize(
    "names",
    [
        {"vendor_id": "SM2"},
        {"vendor_id": "", "marker": str(uuid4())},
        {"vendor_id": "", "marker": "no id"},
        {"vendor": "sendgrid"},
        {"vendor": "sendgrid", "marker": "its own"},
        {"vendor_id": "SM2", "marker": "its own"},
    ],
)
def test_a_report_about_no_message_of_ours_changes_nothing(
    sent: Delivery, names: dict[str, str]
) -> None:
    if names.get("marker") == "its own":
        names = names | {"marker": str(sent.pk)}
    assert report(sent, State.DELIVERED, **names) is None
    assert state_of(sent) == State.SENT


def test_what_did_not_arrive_goes_by_the_next_way_and_then_to_a_person(
    sent: Delivery, scene: Scene
) -> None:
    report(sent, State.FAILED, error_code="30003")
    assert (state_of(sent), sent.why, sent.error_code) == ("FAILED", Why.UNDELIVERED, "30003")
    scene.left()
    assert scene.minute(AT) == [f"EMAIL to {scene.patient.email}"]
    assert not CallItem.objects.exists()
    mail = Delivery.objects.get(channel=Channel.EMAIL)
    ledger.report(
        vendor=mail.vendor, vendor_id=mail.vendor_id, state=State.FAILED, at=AT, status="bounce"
    )
    mail.refresh_from_db()
    assert mail.why == Why.BOUNCED
    assert [call.reason for call in CallItem.objects.all()] == [CallReason.UNDELIVERABLE]


def test_a_claim_whose_worker_died_is_free_again(sent: Delivery) -> None:
    over = timezone.now() - timedelta(seconds=1)
    Delivery.objects.update(state=State.CLAIMED, lease_until=over)
    assert ledger.sweep(now=AT)["freed"] == 1
    assert state_of(sent) == State.QUEUED


def test_a_claim_that_still_holds_is_left_alone(sent: Delivery) -> None:
    later = timezone.now() + timedelta(minutes=1)
    for state in (State.CLAIMED, State.SENDING):
        Delivery.objects.update(state=state, lease_until=later)
        assert ledger.sweep(now=AT + HOUR) == {"freed": 0, "unknown": 0}
        assert state_of(sent) == state


@pytest.fixture
def unknown(sent: Delivery) -> Delivery:
    """A text of which nobody knows: its worker died while it spoke to the vendor."""
    memory.outbox.clear()
    over = timezone.now() - timedelta(seconds=1)
    Delivery.objects.update(
        state=State.SENDING,
        sending_at=AT,
        sent_at=None,
        lease_until=over,
        vendor="memory",
        vendor_id="",
    )
    Reminder.objects.update(sent_at=None)
    return sent


def swept(minutes: float) -> dict[str, int]:
    done = ledger.sweep(now=AT + timedelta(minutes=minutes))
    return {name: n for name, n in done.items() if n}


def test_what_the_vendor_never_had_is_sent_after_two_looks(unknown: Delivery, scene: Scene) -> None:
    assert swept(1) == {"unknown": 1}
    assert swept(2) == {"waiting": 1}
    assert swept(3) == {}
    assert swept(4) == {"queued": 1}
    scene.left()
    assert scene.minute(AT + 5 * MINUTE) == [f"SMS to {scene.patient.phone}"]
    assert state_of(unknown) == State.DELIVERED


def test_what_the_vendor_has_was_sent(
    unknown: Delivery, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def find(to: str, digest: bytes, since: datetime) -> Receipt:
        asked.append((to, digest))
        return Receipt("SM9", State.SENT)

    monkeypatch.setattr(way(Channel.SMS), "find", find, raising=False)
    assert swept(2) == {"unknown": 1, "found": 1}
    assert asked == [(scene.patient.phone, bytes(unknown.body_digest))]
    assert (state_of(unknown), unknown.vendor_id) == ("SENT", "SM9")
    assert Reminder.objects.exclude(sent_at=None).count() == 1


def test_what_cannot_be_looked_up_is_raised_in_time_and_never_sent_again(
    unknown: Delivery, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(**_asked: Any) -> Receipt:
        raise CannotLook("down")

    monkeypatch.setattr(way(Channel.SMS), "find", find, raising=False)
    assert [swept(minute) for minute in (2, 4, 6, 8)][1:] == [{"waiting": 1}] * 3
    assert swept(10) == {"raised": 1}
    scene.left()
    assert scene.minute(AT + 30 * MINUTE) == []
    assert state_of(unknown) == State.UNKNOWN
    assert [call.reason for call in CallItem.objects.all()] == [CallReason.UNSURE]


def test_a_late_report_settles_what_was_raised_and_the_call_about_it(
    unknown: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(way(Channel.SMS), "vendor", "other", raising=False)
    assert swept(10) == {"unknown": 1, "raised": 1}
    ledger.report(vendor="memory", marker=str(unknown.pk), state=State.DELIVERED, at=AT + HOUR)
    assert state_of(unknown) == State.DELIVERED
    assert not CallItem.objects.filter(closed_at=None).exists()


def test_a_number_that_changed_since_is_not_asked_after(unknown: Delivery, scene: Scene) -> None:
    scene.patient.phone = "+19172999999"
    scene.patient.save()
    assert swept(2) == {"unknown": 1, "waiting": 1}
    assert swept(10) == {"raised": 1}
    assert plan_of(scene.patient.appointments.get())[f"{Kind.FOLLOW_UP} SMS"] == "TAKEN"
