"""E-mails through SendGrid's own client, against a SendGrid on this machine."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from patients.mail import MailNotSent, send_mail
from reminders.channels.base import CannotLook, ChannelError, Outgoing, Refused, TryLater, Unsure
from reminders.channels.sendgrid import SendGrid
from reminders.kinds import Channel, State
from tests.config.certificates import Certificate
from tests.reminders.vendors.loopback import Fault, broken, cut, moved, reset, silent, too_many
from tests.reminders.vendors.sendgrid_server import KEY, SendGridServer

ADA, WORDS = "ada@mail.example", "Riverside Clinic: your visit is at 9:00. ¡Hasta pronto!"
MAIL = Outgoing(to=ADA, subject="Your visit", text=WORDS, marker="0190-delivery")


def test_an_e_mail_is_taken_under_sendgrids_id(sendgrid: SendGridServer, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Riverside Clinic <desk@clinic.example>"
    receipt = SendGrid(Channel.EMAIL).send(MAIL)
    (taken,) = sendgrid.taken
    assert (receipt.vendor_id, receipt.state) == (taken.id, State.SENT)
    assert sendgrid.counts() == {(ADA, WORDS): 1}
    mail = taken.more["mail"]
    assert mail["from"] == {"email": "desk@clinic.example", "name": "Riverside Clinic"}
    assert mail["subject"] == "Your visit"
    assert mail["content"] == [{"type": "text/plain", "value": WORDS}]
    assert mail["custom_args"] == {"delivery": "0190-delivery"}
    assert "headers" not in mail


def test_nothing_is_tracked(sendgrid: SendGridServer) -> None:
    SendGrid(Channel.EMAIL).send(MAIL)
    assert sendgrid.taken[0].more["mail"]["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
        "subscription_tracking": {"enable": False},
    }


def test_one_click_unsubscribes(sendgrid: SendGridServer) -> None:
    message = Outgoing(
        to=ADA, text=WORDS, subject="-", marker="1", unsubscribe_url="https://clinic.example/u/1"
    )
    SendGrid(Channel.EMAIL).send(message)
    assert sendgrid.taken[0].more["mail"]["headers"] == {
        "List-Unsubscribe": "<https://clinic.example/u/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (too_many("9"), TryLater),
        (broken(503), TryLater),
        (moved("http://127.0.0.1:9/"), TryLater),
        (broken(500, takes=True), Unsure),
        (broken(502, takes=True), Unsure),
        (silent(), Unsure),
        (reset(), Unsure),
        (cut(), Unsure),
    ],
)
def test_only_what_is_certain_counts_as_not_taken(
    sendgrid: SendGridServer, fault: Fault, kind: type[ChannelError]
) -> None:
    sendgrid.fail(fault)
    with pytest.raises(ChannelError) as caught:
        SendGrid(Channel.EMAIL).send(MAIL)
    assert type(caught.value) is kind
    assert len(sendgrid.asked) == 1, "nothing is asked a second time"
    if kind is not Unsure:
        assert sendgrid.taken == []


def test_a_vendor_that_asks_to_wait_is_waited_for(sendgrid: SendGridServer) -> None:
    sendgrid.fail(too_many("9"))
    with pytest.raises(TryLater) as caught:
        SendGrid(Channel.EMAIL).send(MAIL)
    assert caught.value.after == timedelta(seconds=9)


@pytest.mark.parametrize(
    ("status", "kind"), [(400, Refused), (413, Refused), (401, TryLater), (403, TryLater)]
)
def test_a_refusal_says_whose_trouble_it_is(
    sendgrid: SendGridServer, status: int, kind: type[ChannelError]
) -> None:
    sendgrid.refusals[ADA] = status
    with pytest.raises(ChannelError) as caught:
        SendGrid(Channel.EMAIL).send(MAIL)
    assert (type(caught.value), caught.value.code) == (kind, str(status))


def test_a_wrong_key_can_be_put_right(sendgrid: SendGridServer, settings: Any) -> None:
    settings.SENDGRID_API_KEY = "SG.other"
    with pytest.raises(TryLater, match="401"):
        SendGrid(Channel.EMAIL).send(MAIL)


def test_it_keeps_no_list(sendgrid: SendGridServer) -> None:
    with pytest.raises(CannotLook):
        SendGrid(Channel.EMAIL).find(to=ADA, digest=bytes(32), since=datetime.now(UTC))


def test_it_speaks_tls_to_whom_it_trusts(
    apply: Any, own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SendGridServer(certificate=own_certificate) as server:
        apply(server.settings)
        with pytest.raises(TryLater):
            SendGrid(Channel.EMAIL).send(MAIL)
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(Path(own_certificate.authority)))
        SendGrid(Channel.EMAIL).send(MAIL)
        assert len(server.taken) == 1


def test_another_machine_is_spoken_to_with_tls_only(settings: Any) -> None:
    settings.SENDGRID_BASE_URL = "http://api.vendor.example"
    with pytest.raises(ImproperlyConfigured):
        SendGrid(Channel.EMAIL)


def test_connections_are_used_again(sendgrid: SendGridServer) -> None:
    way = SendGrid(Channel.EMAIL)
    for _ in range(5):
        way.send(MAIL)
    assert (len(sendgrid.asked), sendgrid.connections) == (5, 1)


def test_no_address_word_or_key_is_logged_or_raised(
    sendgrid: SendGridServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    way = SendGrid(Channel.EMAIL)
    way.send(MAIL)
    sendgrid.refusals[ADA] = 400
    with pytest.raises(Refused) as caught:
        way.send(MAIL)
    said = caplog.text + repr(caught.value) + "".join(capfd.readouterr())
    for secret in (ADA, WORDS, "Riverside", KEY):
        assert secret not in said


def test_staff_mail_goes_by_it_too(sendgrid: SendGridServer, settings: Any) -> None:
    settings.CHANNELS = {**settings.CHANNELS, "EMAIL": "reminders.channels.sendgrid.SendGrid"}
    send_mail(kind="new_password", to=ADA, language="en", context={"url": "https://x.example/"})
    (taken,) = sendgrid.taken
    assert (taken.to, "https://x.example/" in taken.body) == (ADA, True)
    sendgrid.refusals[ADA] = 400
    with pytest.raises(MailNotSent) as caught:
        send_mail(kind="new_password", to=ADA, language="en", context={"url": "-"})
    assert str(caught.value) == "Refused 400"
