"""Sends one e-mail made from templates/messages/<kind>/, in a language, by the clinic's own way.

Called by the worker only. What goes wrong is told without the address or the words.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.module_loading import import_string


class MailNotSent(Exception):
    """The mail server did not take the message; carries the kind of error only."""


def send_mail(*, kind: str, to: str, language: str, context: dict[str, Any]) -> None:
    """Render subject.txt and body.txt of a kind of message and send them to one address.

    `language` is a tag, "es" or "es-MX"; one that the site does not speak means the default.
    Raises MailNotSent, as whatever settings.MAIL_SENDER names does: a server's own words would
    carry the address into the queue's table of failures.
    """
    try:
        known = translation.get_supported_language_variant(language)
    except LookupError:
        known = settings.LANGUAGE_CODE
    context = {"site_name": settings.SITE_NAME, **context}
    with translation.override(known):
        # One line, whatever a clinic's name holds: a header ends where its line does.
        subject = " ".join(render_to_string(f"messages/{kind}/subject.txt", context).split())
        body = render_to_string(f"messages/{kind}/body.txt", context).strip() + "\n"
    import_string(settings.MAIL_SENDER)(to=to, subject=subject, body=body)
