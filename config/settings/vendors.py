"""By whom messages leave: names for the environment, and what each needs on a clinic's server.

Refuses the rest in one line, which never repeats a secret.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured

from patients.crypto import is_weak

HERE = "reminders.channels"
OFF, CONSOLE, FILE = f"{HERE}.off.Off", f"{HERE}.console.Console", f"{HERE}.file.File"
MEMORY = f"{HERE}.memory.Memory"
EMAIL = {"smtp": f"{HERE}.mail.Mail", "sendgrid": f"{HERE}.sendgrid.SendGrid", "file": FILE}
SMS = {
    "off": OFF,
    "twilio": f"{HERE}.twilio.Twilio",
    "console": CONSOLE,
    "file": FILE,
    "memory": MEMORY,
}
PUSH = {
    "off": OFF,
    "webpush": f"{HERE}.webpush.WebPush",
    "console": CONSOLE,
    "file": FILE,
    "memory": MEMORY,
}
# What a clinic's server may use, and what must be set for it.
NEEDS: dict[str, dict[str, list[str]]] = {
    "EMAIL_CHANNEL": {
        "smtp": ["EMAIL_HOST"],
        "sendgrid": ["SENDGRID_API_KEY", "SENDGRID_EVENT_KEY"],
    },
    "SMS_CHANNEL": {"off": [], "twilio": ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]},
    "PUSH_CHANNEL": {"off": [], "webpush": ["VAPID_PRIVATE_KEY"]},
}


def channels(*, email: str, sms: str, push: str) -> dict[str, str]:
    """Return the class of each channel's way out. Raises ImproperlyConfigured."""
    return {
        "EMAIL": _chosen("EMAIL_CHANNEL", email, EMAIL),
        "SMS": _chosen("SMS_CHANNEL", sms, SMS),
        "PUSH": _chosen("PUSH_CHANNEL", push, PUSH),
    }


def require_vendors(setting: Callable[[str], str]) -> None:
    """Raise ImproperlyConfigured where a channel is for development, or lacks what it needs.

    `setting` returns a setting's text by its name, empty where there is none.
    """
    for name, vendors in NEEDS.items():
        vendor = setting(name)
        if vendor not in vendors:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(vendors)} here.")
        for needed in vendors[vendor]:
            if not setting(needed):
                raise ImproperlyConfigured(f"{needed} must be set for {name}={vendor}.")
    senders = ("TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID")
    if setting("SMS_CHANNEL") == "twilio" and not any(setting(name) for name in senders):
        raise ImproperlyConfigured(f"{' or '.join(senders)} must be set for SMS_CHANNEL=twilio.")
    if setting("PUSH_CHANNEL") == "webpush":
        _require_push_key(setting("VAPID_PRIVATE_KEY"))


def _chosen(name: str, vendor: str, known: dict[str, str]) -> str:
    if vendor not in known:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(known)}.")
    return known[vendor]


def _require_push_key(text: str) -> None:
    try:
        key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        key = b""
    if len(key) != 32 or is_weak(key):
        raise ImproperlyConfigured("VAPID_PRIVATE_KEY must be a key made by `vapid_keys`.")
