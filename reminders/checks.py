"""Refuses ways out that could not be used, before the first message waits for one; warns where no
patient can be texted. Loads no vendor's code."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

from reminders.channels.addresses import parted
from reminders.channels.registry import is_off
from reminders.kinds import Channel
from reminders.messages import SITE_URL_FITS, SITE_URL_MOST

# What a vendor's class cannot do without: every group needs one of its settings.
NEEDS: dict[str, list[tuple[str, ...]]] = {
    "reminders.channels.twilio.Twilio": [
        ("TWILIO_ACCOUNT_SID",),
        ("TWILIO_AUTH_TOKEN",),
        ("TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID"),
    ],
    "reminders.channels.sendgrid.SendGrid": [("SENDGRID_API_KEY",)],
    "reminders.channels.webpush.WebPush": [("VAPID_PRIVATE_KEY",)],
}
BASES = ("TWILIO_BASE_URL", "SENDGRID_BASE_URL")


@register("messages")
def ways_can_be_used(app_configs: Sequence[AppConfig] | None, **_kwargs: Any) -> list[CheckMessage]:
    """Return what is wrong with the channels' settings; never a setting's value."""
    return [*_missing(), *_open_addresses(), *_unusable_key(), *_silence(), *_long_links()]


def _missing() -> Iterator[CheckMessage]:
    for channel in Channel:
        for names in NEEDS.get(settings.CHANNELS[channel], []):
            if not any(getattr(settings, name) for name in names):
                needed = " or ".join(names)
                yield Error(f"{needed} must be set for {channel}.", id="daysheet.E002")


def _open_addresses() -> Iterator[CheckMessage]:
    for name in BASES:
        if parted(getattr(settings, name)) is None:
            words = f"{name} must be https://, or on this machine."
            yield Error(words, id="daysheet.E003")


def _unusable_key() -> Iterator[CheckMessage]:
    """With a wrong key every report of SendGrid would be turned away, and nobody know why."""
    key = settings.SENDGRID_EVENT_KEY
    if key and not _is_public_key(key):
        words = "SENDGRID_EVENT_KEY must be the public key of the signed event webhook, in base64."
        yield Error(words, id="daysheet.E005")


def _is_public_key(text: str) -> bool:
    try:
        return isinstance(load_der_public_key(b64decode(text)), EllipticCurvePublicKey)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _silence() -> Iterator[CheckMessage]:
    if is_off(Channel.SMS) and not getattr(settings, "DEVELOPMENT", False):
        hint = "Set SMS_CHANNEL=twilio and its settings, or silence this warning."
        words = "No text messages are sent: patients are reminded by e-mail only."
        yield Warning(words, hint=hint, id="daysheet.W001")


def _long_links() -> Iterator[CheckMessage]:
    """A text is one part of 160 characters: a long address leaves no room for names."""
    has = len(settings.SITE_URL)
    if is_off(Channel.SMS) or has <= SITE_URL_FITS:
        return
    hint = (
        "A host of at most 16 characters leaves room for the clinic, the patient and the provider."
    )
    if has <= SITE_URL_MOST:
        words = f"SITE_URL has {has} characters: names in text messages are cut."
        yield Warning(words, hint=hint, id="daysheet.W002")
    else:
        words = f"SITE_URL has {has} characters: each text message would be two or more."
        yield Error(words, hint=hint, id="daysheet.E004")
