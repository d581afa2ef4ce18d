"""Notifications through pywebpush, opened again with the key of the browser that they are for."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from py_vapid import Vapid

from reminders import devices
from reminders.channels.base import (
    CannotLook,
    ChannelError,
    Gone,
    Outgoing,
    Refused,
    TryLater,
    Unsure,
)
from reminders.channels.webpush import WebPush
from reminders.kinds import Channel, State
from tests.reminders.vendors.loopback import (
    Answer,
    Fault,
    broken,
    moved,
    reset,
    silent,
    too_many,
)
from tests.reminders.vendors.push_server import Browser, PushServer

WORDS = "Your video visit starts at 9:00. ¡Hasta pronto!"


def notification(browser: Browser, **more: Any) -> Outgoing:
    values = {
        "to": browser.endpoint,
        "p256dh": browser.p256dh,
        "auth": browser.auth,
        "text": WORDS,
        "url": "https://clinic.example/v/secret/join/",
        "marker": "0190-delivery",
    }
    return Outgoing(**{**values, **more})


def test_the_browser_alone_can_read_it(push: PushServer) -> None:
    receipt = WebPush(Channel.PUSH).send(notification(push.browser()))
    (taken,) = push.taken
    shown = taken.more["shown"]
    assert (shown["body"], shown["url"]) == (WORDS, "https://clinic.example/v/secret/join/")
    assert set(shown) == {"body", "url", "tag"}
    assert (receipt.vendor_id, receipt.state) == ("0190-delivery", State.SENT)
    assert b"visit" not in push.asked[0].body


def test_a_title_is_shown_where_there_is_one(push: PushServer) -> None:
    WebPush(Channel.PUSH).send(notification(push.browser(), subject="Riverside Clinic"))
    assert push.taken[0].more["shown"]["title"] == "Riverside Clinic"


def test_it_is_signed_by_the_site_and_waits_two_hours(push: PushServer, settings: Any) -> None:
    settings.VAPID_SUBJECT = "mailto:desk@clinic.example"
    WebPush(Channel.PUSH).send(notification(push.browser()))
    headers = push.taken[0].more["asked"]
    key = headers["authorization"].rpartition("k=")[2]
    assert key == devices.application_key()
    assert (headers["ttl"], headers["urgency"]) == ("7200", "high")


def test_a_second_try_takes_the_place_of_the_first(push: PushServer) -> None:
    way, browser = WebPush(Channel.PUSH), push.browser()
    for _ in range(2):
        way.send(notification(browser))
    way.send(notification(browser, marker="another"))
    topics = [taken.more["asked"]["topic"] for taken in push.taken]
    assert topics[0] == topics[1] != topics[2]
    assert [len(topic) for topic in topics] == [32] * 3
    assert "0190" not in topics[0]


def test_a_browser_that_is_no_more_is_told(push: PushServer) -> None:
    browser = push.browser()
    push.gone.add("/push/1")
    with pytest.raises(Gone, match="410"):
        WebPush(Channel.PUSH).send(notification(browser))
    push.fail(Fault(answer=Answer(404)))
    with pytest.raises(Gone, match="404"):
        WebPush(Channel.PUSH).send(notification(push.browser()))


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (too_many("9"), TryLater),
        (broken(503), TryLater),
        (broken(401), TryLater),
        (moved("http://127.0.0.1:9/"), TryLater),
        (broken(400), Refused),
        (broken(403), Refused),
        (broken(413), Refused),
        (broken(500, takes=True), Unsure),
        (silent(), Unsure),
        (reset(), Unsure),
    ],
)
def test_only_what_is_certain_counts_as_not_taken(
    push: PushServer, fault: Fault, kind: type[ChannelError]
) -> None:
    push.fail(fault)
    with pytest.raises(ChannelError) as caught:
        WebPush(Channel.PUSH).send(notification(push.browser()))
    assert type(caught.value) is kind
    assert len(push.asked) == 1, "nothing is asked a second time"


def test_a_push_service_that_asks_to_wait_is_waited_for(push: PushServer) -> None:
    push.fail(too_many("9"))
    with pytest.raises(TryLater) as caught:
        WebPush(Channel.PUSH).send(notification(push.browser()))
    assert caught.value.after == timedelta(seconds=9)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://push.vendor.example/1",
        "https://fcm.googleapis.com.vendor.example/1",
        "https://fcm.googleapis.com:8443/1",
        "https://user@fcm.googleapis.com/1",
        "http://fcm.googleapis.com/1",
        "https://push.apple.com/1",
        "https://10.0.0.1/1",
        "http://localhost/1",
        "file:///etc/passwd",
        "https://fcm.googleapis.com/ü",
        "https://[::1/",
        "https://fcm.googleapis.com:99999/",
        "",
    ],
)
def test_nothing_goes_to_a_host_that_is_no_push_service(settings: Any, endpoint: str) -> None:
    settings.PUSH_HOSTS = ["fcm.googleapis.com", "*.push.apple.com"]
    with pytest.raises(Refused, match="unknown_host"):
        WebPush(Channel.PUSH).send(Outgoing(to=endpoint, text="-", marker="1"))


@pytest.mark.parametrize(
    "endpoint", ["https://fcm.googleapis.com/1", "https://web.push.apple.com:443/1"]
)
def test_push_services_are_spoken_to(
    settings: Any, push: PushServer, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network nothing leaves; before that, the address was not refused."""
    settings.PUSH_HOSTS = ["fcm.googleapis.com", "*.push.apple.com"]
    with pytest.raises(TryLater):
        WebPush(Channel.PUSH).send(notification(replace(push.browser(), endpoint=endpoint)))


@pytest.mark.parametrize(
    "keys", [{"p256dh": ""}, {"auth": ""}, {"p256dh": "AAAA"}, {"p256dh": "B" * 87}, {"auth": "!"}]
)
def test_keys_that_are_none_are_refused(push: PushServer, keys: dict[str, str]) -> None:
    with pytest.raises(Refused, match="bad_keys"):
        WebPush(Channel.PUSH).send(notification(push.browser(), **keys))
    assert push.asked == []


def test_it_keeps_no_list(push: PushServer) -> None:
    with pytest.raises(CannotLook):
        WebPush(Channel.PUSH).find(to="", digest=bytes(32), since=datetime.now(UTC))


@pytest.mark.parametrize("key", ["", "nonsense", "AAAA", "ü"])
def test_a_key_that_is_none_stops_it(settings: Any, key: str) -> None:
    settings.VAPID_PRIVATE_KEY = key
    with pytest.raises(ImproperlyConfigured) as caught:
        WebPush(Channel.PUSH)
    assert not key or key not in str(caught.value)


def test_no_address_word_or_key_is_logged_or_raised(
    push: PushServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    way, browser = WebPush(Channel.PUSH), push.browser()
    way.send(notification(browser))
    push.fail(Fault(answer=Answer(400, browser.endpoint.encode())))
    with pytest.raises(Refused) as caught:
        way.send(notification(browser))
    said = caplog.text + repr(caught.value) + "".join(capfd.readouterr())
    for secret in (browser.endpoint, "/push/1", browser.auth, "video visit", "secret"):
        assert secret not in said


def test_new_keys_can_be_used(
    push: PushServer, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("vapid_keys")
    first, second = capsys.readouterr().out.splitlines()
    settings.VAPID_PRIVATE_KEY = first.removeprefix("VAPID_PRIVATE_KEY=")
    assert second.endswith(devices.application_key())
    assert len(second.rpartition(" ")[2]) == 87
    WebPush(Channel.PUSH).send(notification(push.browser()))
    assert Vapid.verify(push.taken[0].more["asked"]["authorization"])
