"""Texts through Twilio's own client, against a Twilio on this machine."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from twilio.base.exceptions import TwilioException

from reminders.channels.base import (
    CannotLook,
    ChannelError,
    Outgoing,
    Refused,
    TryLater,
    Unsure,
    Unwanted,
)
from reminders.channels.twilio import MOST_LISTED, Twilio
from reminders.kinds import Channel, State
from tests.config.certificates import Certificate
from tests.reminders.vendors.loopback import (
    Answer,
    Fault,
    broken,
    cut,
    moved,
    reset,
    silent,
    slow,
    too_many,
)
from tests.reminders.vendors.twilio_server import SENDER, TOKEN, TwilioServer

NUMBER, WORDS = "+12125550134", "Riverside: your visit is at 9. Reply C to confirm, STOP to end."
TEXT = Outgoing(to=NUMBER, text=WORDS, marker="0190-delivery")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def digest(words: str = WORDS) -> bytes:
    return sha256(words.encode()).digest()


def test_a_text_is_taken_under_twilios_id(twilio: TwilioServer, settings: Any) -> None:
    receipt = Twilio(Channel.SMS).send(TEXT)
    (taken,) = twilio.taken
    assert (receipt.vendor_id, receipt.state, receipt.vendor_status) == (
        taken.id,
        State.SENT,
        "queued",
    )
    assert twilio.counts() == {(NUMBER, WORDS): 1}
    assert taken.more["From"] == SENDER
    assert taken.more["StatusCallback"] == (
        f"{settings.SITE_URL}{reverse('hooks:twilio_status')}?delivery=0190-delivery"
    )


def test_a_messaging_service_takes_the_senders_place(twilio: TwilioServer, settings: Any) -> None:
    settings.TWILIO_MESSAGING_SERVICE_SID = "MG" + "1" * 32
    Twilio(Channel.SMS).send(TEXT)
    assert twilio.taken[0].more["MessagingServiceSid"] == "MG" + "1" * 32
    assert "From" not in twilio.taken[0].more


def test_edge_and_region_of_the_environment_lead_nowhere(
    twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    Twilio(Channel.SMS).send(TEXT)
    assert len(twilio.taken) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 21610, Unwanted),
        (400, 21211, Refused),
        (400, 21408, Refused),
        (400, 21614, Refused),
        (400, 21606, TryLater),
        (400, 21611, TryLater),
        (401, 20003, TryLater),
        (403, 20005, TryLater),
        (404, 20404, TryLater),
    ],
)
def test_a_refusal_says_whose_trouble_it_is(
    twilio: TwilioServer, status: int, code: int, kind: type[ChannelError]
) -> None:
    twilio.refusals[NUMBER] = (status, code)
    with pytest.raises(ChannelError) as caught:
        Twilio(Channel.SMS).send(TEXT)
    assert type(caught.value) is kind
    assert caught.value.code == str(code)
    assert twilio.taken == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (too_many(), TryLater),
        (broken(503), TryLater),
        (moved("http://127.0.0.1:9/"), TryLater),
        (broken(500), Unsure),
        (broken(500, takes=True), Unsure),
        (broken(502, takes=True), Unsure),
        (broken(504, takes=True), Unsure),
        (silent(), Unsure),
        (silent(takes=False), Unsure),
        (reset(), Unsure),
        (cut(), Unsure),
        (slow(3), Unsure),
        (Fault(takes=True, answer=Answer(201, b"not JSON")), Unsure),
        (Fault(takes=True, answer=Answer(201, b"[]")), Unsure),
        (Fault(takes=True, answer=Answer(201, b"{}")), Unsure),
    ],
)
def test_only_what_is_certain_counts_as_not_taken(
    twilio: TwilioServer, fault: Fault, kind: type[ChannelError]
) -> None:
    twilio.fail(fault)
    with pytest.raises(ChannelError) as caught:
        Twilio(Channel.SMS).send(TEXT)
    assert type(caught.value) is kind
    assert len(twilio.asked) == 1, "nothing is asked a second time"
    if kind is not Unsure:
        assert twilio.taken == []


def test_a_vendor_that_asks_to_wait_is_waited_for(twilio: TwilioServer) -> None:
    twilio.fail(too_many("17"))
    with pytest.raises(TryLater) as caught:
        Twilio(Channel.SMS).send(TEXT)
    assert caught.value.after == timedelta(seconds=17)


def test_a_slow_vendor_is_no_failure(twilio: TwilioServer) -> None:
    twilio.fail(slow(0.3))
    assert Twilio(Channel.SMS).send(TEXT).state == State.SENT


def test_an_untrusted_certificate_means_nothing_left(apply: Any, own_certificate: Any) -> None:
    with TwilioServer(certificate=own_certificate) as server:
        apply(server.settings)
        with pytest.raises(TryLater):
            Twilio(Channel.SMS).send(TEXT)
        assert server.asked == []


def test_it_speaks_tls(apply: Any, own_certificate: Certificate, trusted: Path) -> None:
    with TwilioServer(certificate=own_certificate) as server:
        apply(server.settings)
        Twilio(Channel.SMS).send(TEXT)
        assert server.counts() == {(NUMBER, WORDS): 1}


@pytest.mark.parametrize("url", ["http://api.vendor.example", "https://", "https://a.example/x"])
def test_another_machine_is_spoken_to_with_tls_only(settings: Any, url: str) -> None:
    settings.TWILIO_BASE_URL = url
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC", "token"
    with pytest.raises(ImproperlyConfigured):
        Twilio(Channel.SMS)


def test_a_text_that_was_taken_is_found(twilio: TwilioServer) -> None:
    way, before = Twilio(Channel.SMS), datetime.now(UTC)
    twilio.fail(silent())
    with pytest.raises(Unsure):
        way.send(TEXT)
    found = way.find(to=NUMBER, digest=digest(), since=before)
    assert found is not None
    assert (found.vendor_id, found.state) == (twilio.taken[0].id, State.SENT)


def test_a_text_that_was_not_taken_is_not_found(twilio: TwilioServer) -> None:
    way = Twilio(Channel.SMS)
    way.send(TEXT)
    assert way.find(to="+12125550135", digest=digest(), since=LONG_AGO) is None
    assert way.find(to=NUMBER, digest=digest("other words"), since=LONG_AGO) is None
    later = datetime.now(UTC) + timedelta(hours=1)
    assert way.find(to=NUMBER, digest=digest(), since=later) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("sent", State.SENT),
        ("delivered", State.DELIVERED),
        ("undelivered", State.FAILED),
        ("failed", State.FAILED),
    ],
)
def test_a_text_is_found_as_it_stands(twilio: TwilioServer, status: str, state: State) -> None:
    way = Twilio(Channel.SMS)
    id_ = way.send(TEXT).vendor_id
    twilio.statuses[id_] = status
    found = way.find(to=NUMBER, digest=digest(), since=LONG_AGO)
    assert found is not None
    assert (found.state, found.vendor_status) == (state, status)


def test_every_page_of_the_list_is_looked_through(twilio: TwilioServer) -> None:
    way = Twilio(Channel.SMS)
    first = way.send(TEXT)
    for number in range(250):
        twilio.keep(f"SM{number:032d}", to=NUMBER, body="other words")
    assert way.find(to=NUMBER, digest=digest(), since=LONG_AGO) == first


def test_a_list_without_end_proves_nothing(twilio: TwilioServer) -> None:
    way = Twilio(Channel.SMS)
    for number in range(MOST_LISTED + 1):
        twilio.keep(f"SM{number:032d}", to=NUMBER, body="other words")
    with pytest.raises(CannotLook, match="too_many"):
        way.find(to=NUMBER, digest=digest(), since=LONG_AGO)


def test_a_list_that_cannot_be_had_proves_nothing(twilio: TwilioServer, settings: Any) -> None:
    settings.TWILIO_AUTH_TOKEN = "another"
    with pytest.raises(CannotLook):
        Twilio(Channel.SMS).find(to=NUMBER, digest=digest(), since=LONG_AGO)
    settings.TWILIO_BASE_URL = "http://127.0.0.1:9"
    with pytest.raises(CannotLook):
        Twilio(Channel.SMS).find(to=NUMBER, digest=digest(), since=LONG_AGO)


def test_threads_share_one_client(twilio: TwilioServer) -> None:
    way = Twilio(Channel.SMS)
    texts = [Outgoing(to=f"+1212555{n:04d}", text=WORDS, marker=str(n)) for n in range(200)]
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(way.send, texts))
    assert len({receipt.vendor_id for receipt in receipts}) == 200
    assert set(twilio.counts().values()) == {1}
    assert len(twilio.counts()) == 200


def test_no_number_word_or_secret_is_logged_or_raised(
    twilio: TwilioServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    way = Twilio(Channel.SMS)
    way.send(TEXT)
    way.find(to=NUMBER, digest=digest(), since=LONG_AGO)
    twilio.refusals[NUMBER] = (400, 21211)
    with pytest.raises(Refused) as caught:
        way.send(TEXT)
    said = caplog.text + repr(caught.value) + "".join(capfd.readouterr())
    for secret in (NUMBER, NUMBER[1:], "55501", WORDS, "Riverside", TOKEN):
        assert secret not in said
    assert caught.value.__suppress_context__
    assert isinstance(caught.value.__context__, TwilioException)
