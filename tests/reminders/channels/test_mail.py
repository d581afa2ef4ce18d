"""E-mails by Django's backend, against a mail server that says what it was told to say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from patients.mail import MailNotSent, send_mail
from reminders.channels.base import CannotLook, ChannelError, Outgoing, Refused, TryLater, Unsure
from reminders.channels.mail import Mail
from reminders.kinds import Channel, State
from tests.reminders.vendors.smtp_server import BREAK, SILENCE, TAKE_AND_BREAK, SMTPServer

ADA, WORDS = "ada@mail.example", "Riverside Clinic: your visit is at 9:00."
MAIL = Outgoing(to=ADA, subject="Your visit", text=WORDS, marker="0190-delivery")

Apply = Callable[[Any], None]


def test_an_e_mail_is_taken_under_our_own_id(settings: Any, apply: Apply) -> None:
    settings.DEFAULT_FROM_EMAIL = "Riverside Clinic <desk@clinic.example>"
    with SMTPServer() as server:
        apply(server.settings)
        receipt = Mail(Channel.EMAIL).send(MAIL)
    assert (receipt.vendor_id, receipt.state) == ("<0190-delivery@clinic.example>", State.SENT)
    (taken,) = server.taken
    assert (taken.to, taken.message["Message-ID"]) == (ADA, receipt.vendor_id)
    assert taken.message.get_content().strip() == WORDS
    assert taken.message["Auto-Submitted"] == "auto-generated"
    assert "List-Unsubscribe" not in taken.message


def test_one_click_unsubscribes() -> None:
    url = "https://clinic.example/u/1"
    Mail(Channel.EMAIL).send(Outgoing(to=ADA, text="-", marker="1", unsubscribe_url=url))
    (sent,) = mail.outbox
    assert sent.extra_headers["List-Unsubscribe"] == f"<{url}>"
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("answers", "kind", "code", "taken"),
    [
        ({"HELLO": "421 busy"}, TryLater, "421", 0),
        ({"HELLO": "554 go away"}, TryLater, "554", 0),
        ({"HELLO": BREAK}, TryLater, "SMTPServerDisconnected", 0),
        ({"HELLO": SILENCE}, TryLater, "SMTPServerDisconnected", 0),
        ({"MAIL": "451 later"}, TryLater, "451", 0),
        ({"MAIL": "550 not from you"}, TryLater, "550", 0),
        ({"MAIL": BREAK}, TryLater, "SMTPServerDisconnected", 0),
        ({"RCPT": "450 greylisted"}, TryLater, "450", 0),
        ({"RCPT": "421 closing"}, TryLater, "421", 0),
        ({"RCPT": "550 no such user ada@mail.example"}, Refused, "550", 0),
        ({"RCPT": BREAK}, TryLater, "SMTPServerDisconnected", 0),
        ({"RCPT": SILENCE}, TryLater, "SMTPServerDisconnected", 0),
        ({"DATA": "451 later"}, TryLater, "451", 0),
        ({"DATA": "554 no"}, Refused, "554", 0),
        ({"END": "452 full"}, TryLater, "452", 0),
        ({"END": "552 too long"}, Refused, "552", 0),
        ({"END": "251 what"}, Unsure, "251", 0),
        ({"END": BREAK}, Unsure, "SMTPServerDisconnected", 0),
        ({"END": TAKE_AND_BREAK}, Unsure, "SMTPServerDisconnected", 1),
        ({"END": SILENCE}, Unsure, "SMTPServerDisconnected", 0),
    ],
)
def test_only_what_is_certain_counts_as_not_taken(
    apply: Apply, answers: dict[str, str], kind: type[ChannelError], code: str, taken: int
) -> None:
    with SMTPServer(**answers) as server:
        apply(server.settings)
        with pytest.raises(ChannelError) as caught:
            Mail(Channel.EMAIL).send(MAIL)
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert len(server.taken) == taken
    assert ADA not in repr(caught.value)


def test_an_impolite_farewell_is_no_failure(apply: Apply) -> None:
    with SMTPServer(QUIT=BREAK) as server:
        apply(server.settings)
        assert Mail(Channel.EMAIL).send(MAIL).state == State.SENT
    assert len(server.taken) == 1


def test_no_mail_server_means_nothing_left(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    with pytest.raises(TryLater, match="ConnectionRefusedError"):
        Mail(Channel.EMAIL).send(MAIL)


def test_a_server_without_tls_gets_no_word(apply: Apply) -> None:
    with SMTPServer() as server:
        apply({**server.settings, "EMAIL_USE_TLS": True})
        with pytest.raises(TryLater):
            Mail(Channel.EMAIL).send(MAIL)
    assert server.taken == []


@pytest.mark.parametrize(
    "bad", [{"subject": "one\nBcc: all@mail.example"}, {"to": "ada@mail.example\nBcc: b@c.example"}]
)
def test_a_header_holds_one_line(bad: dict[str, str]) -> None:
    with pytest.raises(Refused, match="malformed"):
        Mail(Channel.EMAIL).send(Outgoing(**{"to": ADA, "text": "-", "marker": "1", **bad}))
    assert mail.outbox == []


def test_a_backend_that_cannot_be_followed_is_not_trusted_to_have_failed(
    settings: Any, tmp_path: Path
) -> None:
    place = tmp_path / "mails"
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(place)
    Mail(Channel.EMAIL).send(MAIL)
    assert len(list(place.iterdir())) == 1


def test_it_keeps_no_list() -> None:
    with pytest.raises(CannotLook):
        Mail(Channel.EMAIL).find(to=ADA, digest=bytes(32), since=datetime.now(UTC))


def test_staff_mail_that_is_not_sent_says_no_address(apply: Apply) -> None:
    with SMTPServer(RCPT="550 no such user ada@mail.example") as server:
        apply(server.settings)
        with pytest.raises(MailNotSent) as caught:
            send_mail(kind="new_password", to=ADA, language="en", context={"url": "-"})
    assert str(caught.value) == "Refused 550"
    assert server.taken == []
