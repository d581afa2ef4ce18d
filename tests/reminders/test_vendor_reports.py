"""What vendors report, in the ledger's words; what they may add some day changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.kinds import Channel, State
from reminders.models import Suppression
from reminders.vendor_reports import (
    OLDEST,
    SENDGRID_CAUSES,
    SENDGRID_STATES,
    TWILIO_STATES,
    from_sendgrid,
    from_twilio,
)

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SID = "SM" + "0" * 31 + "1"
EVENT = {
    "event": "delivered",
    "sg_event_id": "ZGVsaXZlcmVk-0.1",
    "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    "delivery": "0196a0f0-0000-7000-8000-000000000001",
    "email": "ada@mail.example",
    "timestamp": int(NOW.timestamp()) - 60,
}


def twilio(status: str, **more: str) -> Any:
    form = {"MessageSid": SID, "MessageStatus": status, "To": "+12125550134", **more}
    return from_twilio(form, now=NOW)


def sendgrid(name: str, **more: Any) -> Any:
    return from_sendgrid({**EVENT, "event": name, **more}, now=NOW)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        *((each, State.SENT) for each in ("accepted", "queued", "sending", "sent", "scheduled")),
        *((each, State.DELIVERED) for each in ("delivered", "read")),
        *((each, State.FAILED) for each in ("undelivered", "failed", "canceled")),
    ],
)
def test_each_status_of_twilios_has_a_state(status: str, state: State) -> None:
    report = twilio(status)
    assert (report.state, report.status, report.vendor_id) == (state, status, SID)
    assert (report.channel, report.recipient, report.at) == (Channel.SMS, "+12125550134", NOW)


def test_only_the_carriers_stop_ends_a_number() -> None:
    assert twilio("undelivered", ErrorCode="21610").cause == Suppression.Cause.CARRIER
    for code in ("30003", "30005", "30006", "30007", "", "21610x"):
        assert twilio("undelivered", ErrorCode=code).cause == ""
    assert twilio("undelivered", ErrorCode="30003").error_code == "30003"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"MessageSid": SID},
        {"MessageSid": SID, "MessageStatus": "teleported"},
        {"MessageSid": "SM1", "MessageStatus": "sent"},
        {"MessageSid": SID + "\n", "MessageStatus": "sent"},
    ],
)
def test_what_is_no_report_of_twilios_is_none(form: dict[str, str]) -> None:
    assert from_twilio(form, now=NOW) is None


def test_our_own_name_for_a_text_comes_back() -> None:
    form = {"MessageSid": SID, "MessageStatus": "sent"}
    assert getattr(from_twilio(form, marker="abc-1", now=NOW), "marker", None) == "abc-1"
    assert getattr(from_twilio(form, marker="a b\0", now=NOW), "marker", None) == ""


@pytest.mark.parametrize(
    ("name", "state"),
    [
        *((each, State.SENT) for each in ("processed", "deferred")),
        *((each, State.DELIVERED) for each in ("delivered", "spamreport", "unsubscribe")),
        *((each, State.FAILED) for each in ("bounce", "dropped")),
    ],
)
def test_each_event_of_sendgrids_has_a_state(name: str, state: State) -> None:
    report = sendgrid(name)
    assert (report.state, report.status, report.vendor_id) == (state, name, "14c5d75ce93")
    assert (report.marker, report.channel) == (EVENT["delivery"], Channel.EMAIL)
    assert report.at == NOW - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        ({"event": "bounce", "type": "bounce"}, "BOUNCE"),
        ({"event": "bounce"}, "BOUNCE"),
        ({"event": "bounce", "type": "blocked"}, ""),
        ({"event": "spamreport"}, "COMPLAINT"),
        ({"event": "unsubscribe"}, "UNSUBSCRIBED"),
        ({"event": "group_unsubscribe"}, "UNSUBSCRIBED"),
        ({"event": "dropped", "reason": "Bounced Address"}, ""),
        ({"event": "deferred"}, ""),
        ({"event": "delivered"}, ""),
    ],
)
def test_an_address_ends_for_good_reasons_only(event: dict[str, str], cause: str) -> None:
    assert sendgrid(event.pop("event"), **event).cause == cause
    assert cause == "" or Suppression.Cause(cause)


def test_a_vendors_sentence_is_never_kept() -> None:
    """It may quote the address: 550 5.1.1 <ada@mail.example> does not exist."""
    report = sendgrid("bounce", reason="550 <ada@mail.example> unknown", status="5.1.1")
    assert report.error_code == "5.1.1"
    assert sendgrid("bounce", status="no <ada@mail.example>").error_code == ""
    assert sendgrid("dropped", reason="Bounced Address").error_code == "bounced"
    assert sendgrid("dropped", reason="Something <ada@mail.example>").error_code == "other"
    assert sendgrid("dropped", reason=["odd"]).error_code == "other"


@pytest.mark.parametrize("name", ["open", "click", "group_resubscribe", "", None, 7, ["bounce"]])
def test_other_events_are_none(name: Any) -> None:
    assert sendgrid(name) is None


@pytest.mark.parametrize("event", [None, 7, "bounce", [], [EVENT]])
def test_what_is_no_event_is_none(event: Any) -> None:
    assert from_sendgrid(event, now=NOW) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"sg_event_id": ""},
        {"sg_event_id": "x" * 500},
        {"sg_event_id": "a\0b"},
        {"sg_event_id": "\ud800"},
        {"sg_event_id": 7},
        {"sg_message_id": None, "delivery": ""},
    ],
)
def test_an_event_that_cannot_be_told_from_others_is_none(odd: dict[str, Any]) -> None:
    assert sendgrid("delivered", **odd) is None


@pytest.mark.parametrize("told", [None, "now", 1e9, True, 10**30, -(10**30)])
def test_no_report_is_from_the_future_or_long_ago(told: Any) -> None:
    assert NOW - OLDEST - timedelta(seconds=1) <= sendgrid("bounce", timestamp=told).at <= NOW


def test_all_states_are_the_ledgers_last_words() -> None:
    known = {State.SENT, State.DELIVERED, State.FAILED}
    assert {*TWILIO_STATES.values()} == {*SENDGRID_STATES.values()} == known
    assert set(SENDGRID_CAUSES) < set(SENDGRID_STATES)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*EVENT, "type", "reason", "status"]), json))
def test_whatever_a_field_holds_nothing_fails_and_nothing_odd_comes_out(odd: Any) -> None:
    report = from_sendgrid({**EVENT, **odd}, now=NOW)
    if report is not None:
        for text in (report.event_id, report.vendor_id, report.marker, report.error_code):
            assert text.isascii()
            assert "\0" not in text
        assert report.recipient.encode().isascii() or report.recipient.isprintable()
