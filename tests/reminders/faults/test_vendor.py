"""A vendor in trouble: what it surely did not take is tried again, what it may have taken not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from config.settings.vendors import channels
from patients.models import AuditEntry
from patients.models.audit import Act, Outcome
from reminders import dispatch, gathering, ledger
from reminders.composing import compose
from reminders.kinds import CallReason, Channel, Kind, State, Why
from reminders.models import CallItem, ContactPreference, Delivery, Reminder, Suppression
from reminders.outcomes import MOST_ATTEMPTS, Pauses
from reminders.suppressions import suppress
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.config.certificates import certificate
from tests.factories import someone_at_the_desk
from tests.reminders.crowd import crowd
from tests.reminders.vendors.loopback import broken, reset, silent, slow, too_many
from tests.reminders.vendors.twilio_server import TwilioServer

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def rows(now: datetime) -> list[Reminder]:
    """Three people are to be reminded by text."""
    made = crowd(3, now=now)
    gathering.gather(now=now)
    return made


@pytest.fixture(autouse=True)
def _impatient(settings: Any) -> None:
    settings.VENDOR_TIMEOUT_SECONDS = 1


def states() -> Counter[str]:
    return Counter(Delivery.objects.values_list("state", flat=True))


def told(server: TwilioServer) -> Counter[str]:
    return Counter(text.to for text in server.taken)


def numbers(rows: list[Reminder]) -> dict[str, int]:
    return {row.appointment.patient.phone: 1 for row in rows}


def at(instant: datetime) -> Callable[[], datetime]:
    return lambda: instant


def let_pass(monkeypatch: pytest.MonkeyPatch, until: datetime) -> None:
    """Dispatch at a later instant, when no pause is on any more."""
    monkeypatch.setattr(dispatch, "pauses", Pauses())
    Delivery.objects.exclude(lease_until=None).update(lease_until=timezone.now() - MINUTE)
    ledger.sweep(now=until)
    dispatch.dispatch(clock=at(until))


def test_too_many_requests_slow_the_whole_channel_for_as_long_as_the_vendor_says(
    rows: list[Reminder],
    twilio: TwilioServer,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
) -> None:
    twilio.fail(too_many("120"))
    dispatch.dispatch(clock=at(now))
    assert len(twilio.asked) == 1  # the others were not even tried
    assert states() == {State.QUEUED: 3}
    assert 110 < dispatch.pauses.left(Channel.SMS) <= 120
    assert dispatch.pauses.left(Channel.EMAIL) == 0
    (tried,) = Delivery.objects.filter(attempts=1)
    assert tried.not_before >= now + 120 * SECOND
    let_pass(monkeypatch, now + 119 * SECOND)
    assert states() == {State.QUEUED: 1, State.SENT: 2}
    let_pass(monkeypatch, now + 20 * MINUTE)
    assert told(twilio) == numbers(rows)


@pytest.mark.parametrize(
    "fault", [broken(500), broken(503), silent(takes=False), reset(takes=False)]
)
def test_trouble_that_took_nothing_ends_with_one_text_each(
    rows: list[Reminder],
    twilio: TwilioServer,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
    fault: Any,
) -> None:
    twilio.fail(fault)
    for minute in range(16):
        let_pass(monkeypatch, now + minute * MINUTE)
    assert told(twilio) == numbers(rows)
    assert states() == {State.SENT: 3}


@pytest.mark.parametrize(
    "fault", [broken(500, takes=True), silent(takes=True), reset(takes=True), slow(2)]
)
def test_trouble_after_it_was_taken_ends_with_one_text_each(
    rows: list[Reminder],
    twilio: TwilioServer,
    monkeypatch: pytest.MonkeyPatch,
    now: datetime,
    fault: Any,
) -> None:
    twilio.fail(fault)
    dispatch.dispatch(clock=at(now))
    assert states() == {State.UNKNOWN: 1, State.SENT: 2}
    for minute in range(16):
        let_pass(monkeypatch, now + minute * MINUTE)
    assert told(twilio) == numbers(rows)
    assert states() == {State.SENT: 3}


def test_a_vendor_that_is_not_there_is_tried_again_and_then_given_up(
    now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = crowd(1, now=now, kind=Kind.FOLLOW_UP)
    with TwilioServer() as server:
        address = server.settings
    settings.CHANNELS = channels(email="smtp", sms="twilio", push="off")
    for name, value in address.items():
        setattr(settings, name, value)
    gathering.gather(now=now)
    for minute in range(90):
        let_pass(monkeypatch, now + minute * MINUTE)
    given_up = Delivery.objects.get(channel=Channel.SMS)
    assert (given_up.state, given_up.why) == (State.FAILED, Why.GAVE_UP)
    assert given_up.attempts == MOST_ATTEMPTS
    # Another way, and in the record that the first did not do.
    assert Reminder.objects.filter(channel=Channel.EMAIL, appointment=row.appointment).exists()
    failed = AuditEntry.objects.filter(action=Act.SEND, outcome=Outcome.FAILED)
    assert [entry.patient_ids for entry in failed] == [[row.appointment.patient_id]]


def test_a_vendor_with_a_false_certificate_gets_nothing(
    rows: list[Reminder], settings: Any, tmp_path: Path
) -> None:
    settings.CHANNELS = channels(email="smtp", sms="twilio", push="off")
    with TwilioServer(certificate=certificate(tmp_path, "127.0.0.1")) as server:
        for name, value in server.settings.items():
            setattr(settings, name, value)
        dispatch.dispatch()
        assert (server.asked, server.taken) == ([], [])
    assert states() == {State.QUEUED: 3}
    assert Delivery.objects.filter(attempts=1).exists()


def test_a_number_that_the_carrier_says_stopped_is_suppressed_and_called(
    rows: list[Reminder], twilio: TwilioServer
) -> None:
    number = rows[0].appointment.patient.phone
    twilio.refusals[number] = (400, 21610)
    dispatch.dispatch()
    assert states() == {State.FAILED: 1, State.SENT: 2}
    suppressed = Suppression.objects.get()
    assert (suppressed.recipient, suppressed.cause) == (number, Suppression.Cause.CARRIER)
    (call,) = CallItem.objects.all()
    assert call.reason == CallReason.UNDELIVERABLE
    assert call.appointment_id == rows[0].appointment_id


def test_a_number_that_is_none_fails_once_and_for_all(
    rows: list[Reminder], twilio: TwilioServer
) -> None:
    twilio.refusals[rows[0].appointment.patient.phone] = (400, 21211)
    dispatch.dispatch()
    failed = Delivery.objects.get(state=State.FAILED)
    assert (failed.why, failed.error_code, failed.attempts) == (Why.REFUSED, "21211", 1)
    assert not Suppression.objects.exists()


def test_a_stop_between_queue_and_sending_keeps_the_text(
    rows: list[Reminder], twilio: TwilioServer
) -> None:
    """It comes in when the batch was read already, in the last moment in which it can count."""
    number = rows[1].appointment.patient.phone
    cause = Suppression.Cause.STOP

    def stop_then_compose(*args: Any, **kwargs: Any) -> Any:
        suppress(channel=Channel.SMS, recipient=number, cause=cause, now=timezone.now())
        return compose(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("reminders.sending.compose", stop_then_compose)
        dispatch.dispatch()
    assert number not in told(twilio)
    assert len(twilio.taken) == 2
    refused = Delivery.objects.get(state=State.SKIPPED)
    assert refused.why == Why.SUPPRESSED


@pytest.mark.parametrize("change", ["cancel", "move", "check in", "leave", "another number"])
def test_what_changes_while_a_message_is_composed_counts(
    rows: list[Reminder], twilio: TwilioServer, change: str
) -> None:
    visit = rows[1].appointment
    desk = someone_at_the_desk()
    changed: list[str] = []

    def change_then_compose(delivery: Delivery, **kwargs: Any) -> Any:
        if delivery.patient_id == visit.patient_id and not changed:
            changed.append(change)
            CHANGES[change](Appointment.objects.get(pk=visit.pk), desk)
        return compose(delivery, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("reminders.sending.compose", change_then_compose)
        dispatch.dispatch()
    old_number = rows[1].appointment.patient.phone
    assert changed == [change]
    assert told(twilio)[old_number] == 0
    assert len(twilio.taken) == {"another number": 3}.get(change, 2)


def _cancel(visit: Appointment, desk: Actor) -> None:
    booking.cancel(appointment=visit, reason="OTHER", by=desk, now=timezone.now())


def _move(visit: Appointment, _desk: Actor) -> None:
    Appointment.objects.filter(pk=visit.pk).update(sequence=1, version=1)


def _check_in(visit: Appointment, desk: Actor) -> None:
    booking.check_in(appointment=visit, by=desk, now=timezone.now())


def _leave(visit: Appointment, _desk: Actor) -> None:
    ContactPreference.objects.create(patient_id=visit.patient_id, sms=False)


def _another_number(visit: Appointment, _desk: Actor) -> None:
    known = type(visit.patient).objects.get(pk=visit.patient_id)
    known.phone = "+19178888888"
    known.save(update_fields=["phone"])


CHANGES: dict[str, Callable[[Any, Actor], None]] = {
    "cancel": _cancel,
    "move": _move,
    "check in": _check_in,
    "leave": _leave,
    "another number": _another_number,
}
