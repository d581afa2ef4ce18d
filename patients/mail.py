"""Sends one e-mail made from templates/messages/<kind>/, in a language, by Django's backend.

Called by the worker only. What goes wrong is told without the address or the words.
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation


class MailNotSent(Exception):
    """The mail server did not take the message; carries the kind of error only."""


def send_mail(*, kind: str, to: str, language: str, context: dict[str, Any]) -> None:
    """Render subject.txt and body.txt of a kind of message and send them to one address.

    `language` is a code of settings.LANGUAGES; any other means the default. Raises MailNotSent:
    the server's own words would carry the address into the queue's table of failures.
    """
    known = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    context = {"site_name": settings.SITE_NAME, **context}
    with translation.override(known):
        subject = render_to_string(f"messages/{kind}/subject.txt", context).strip()
        body = render_to_string(f"messages/{kind}/body.txt", context).strip() + "\n"
    try:
        EmailMessage(subject, body, to=[to]).send()
    except (OSError, smtplib.SMTPException) as error:
        raise MailNotSent(type(error).__name__) from None
