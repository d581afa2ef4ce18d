"""Whether what came to a webhook was sent by the vendor: by its signature, and nothing else.

Without a key nothing is believed. Refuses to know what the message says.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import QueryDict

if TYPE_CHECKING:
    from sendgrid.helpers.eventwebhook import EventWebhook

LONGEST_NUMBER = 12


def is_of_twilio(form: QueryDict, *, url: str, signature: str) -> bool:
    """Whether Twilio signed this form for this address of ours, and for our account.

    A field that stands there twice is signed as if it stood there once: such a form is refused.
    """
    from twilio.request_validator import RequestValidator

    if not (settings.TWILIO_AUTH_TOKEN and settings.TWILIO_ACCOUNT_SID and signature):
        return False
    if any(len(values) != 1 for _name, values in form.lists()):
        return False
    signed = RequestValidator(settings.TWILIO_AUTH_TOKEN).validate(url, form, signature)
    return bool(signed) and form.get("AccountSid") == settings.TWILIO_ACCOUNT_SID


def is_of_sendgrid(body: bytes, *, signature: str, timestamp: str, now: datetime) -> bool:
    """Whether SendGrid signed exactly these bytes, WEBHOOK_WINDOW_SECONDS ago at the most.

    Raises ImproperlyConfigured where SENDGRID_EVENT_KEY is no public key.
    """
    if not (settings.SENDGRID_EVENT_KEY and signature and _is_recent(timestamp, now=now)):
        return False
    try:
        text = body.decode()
        verifier = _sendgrid_verifier(settings.SENDGRID_EVENT_KEY)
        return bool(verifier.verify_signature(text, signature, timestamp))
    except ValueError:  # a body that is no text, or a signature that is no base64
        return False


def _is_recent(timestamp: str, *, now: datetime) -> bool:
    """Whether a number of seconds since 1970 is near to now, on either side."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= LONGEST_NUMBER):
        return False
    window: int = settings.WEBHOOK_WINDOW_SECONDS
    return abs(now.timestamp() - int(timestamp)) <= window


@lru_cache(maxsize=4)
def _sendgrid_verifier(key: str) -> EventWebhook:
    from sendgrid.helpers.eventwebhook import EventWebhook

    try:
        return EventWebhook(key)
    except (ValueError, UnsupportedAlgorithm):
        raise ImproperlyConfigured("SENDGRID_EVENT_KEY is no public key in base64.") from None
