"""E-mail by Django's own backend: the clinic's mail server, or a developer's terminal.

What stands in its answers is told as codes only: a mail server's words repeat the address.
"""

from __future__ import annotations

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any, NoReturn

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from reminders.channels.base import CannotLook, Outgoing, Receipt, Refused, TryLater, Unsure
from reminders.kinds import Channel, State

Broken = (OSError, smtplib.SMTPException)


@dataclass
class Talk:
    """How far a talk with a mail server came: the words are taken at the end of DATA only."""

    in_data: bool = False


class Mail:
    """One connection a message: a mail server takes hundreds of them a minute."""

    vendor = "mail"
    reports = False

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def send(self, message: Outgoing) -> Receipt:
        """Hand one message to the mail server, under a Message-ID that its marker makes."""
        mail = _composed(message)
        connection, talk = get_connection(), None
        try:
            connection.open()
            talk = _followed(getattr(connection, "connection", None))
            connection.send_messages([mail])
        except Broken as error:
            _tell(error, talk)
        finally:
            with suppress(*Broken):  # how the farewell goes changes nothing about the message
                connection.close()
        return Receipt(mail.extra_headers["Message-ID"], State.SENT)

    def find(self, *, to: str, digest: bytes, since: datetime) -> Receipt | None:
        """Raise CannotLook: a mail server keeps no list."""
        raise CannotLook("mail")


def message_id(marker: str) -> str:
    """Return the Message-ID of a delivery; a second try has the same, so readers show one."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{marker}@{domain}>"


def unsubscribe_headers(url: str) -> dict[str, str]:
    """Return the headers of RFC 8058, by which a mail program unsubscribes with one click."""
    if not url:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _composed(message: Outgoing) -> EmailMessage:
    headers = {"Message-ID": message_id(message.marker), "Auto-Submitted": "auto-generated"}
    mail = EmailMessage(
        message.subject,
        message.text,
        to=[message.to],
        headers=headers | unsubscribe_headers(message.unsubscribe_url),
    )
    try:
        mail.message()
    except ValueError:
        raise Refused("malformed") from None
    return mail


def _followed(smtp: Any) -> Talk:
    """Return what will say whether this connection came to DATA; of one that is none of SMTP
    nobody knows, which counts as if it had."""
    if not isinstance(smtp, smtplib.SMTP):
        return Talk(in_data=True)
    talk, data = Talk(), smtp.data

    def noted(words: Any) -> Any:
        talk.in_data = True
        return data(words)

    vars(smtp)["data"] = noted
    return talk


def _tell(error: Exception, talk: Talk | None) -> NoReturn:
    """Raise what is known of the message: an answer is certain, silence after DATA is not.

    Without a talk there was no connection, whatever the server said instead of a welcome.
    """
    if talk is None:
        raise TryLater(_code(error)) from None
    code = _answered(error) or 0
    about_us = isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPAuthenticationError)
    if 500 <= code <= 599 and not about_us:
        raise Refused(str(code)) from None
    if code < 400 and talk.in_data:
        raise Unsure(_code(error)) from None
    raise TryLater(_code(error)) from None


def _answered(error: Exception) -> int | None:
    """Return the server's reply code; None where the talk broke off without one."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min(int(code) for code, _words in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        return int(error.smtp_code)
    return None


def _code(error: Exception) -> str:
    code = _answered(error)
    return type(error).__name__[:24] if code is None else str(code)
