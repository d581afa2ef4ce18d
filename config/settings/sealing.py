"""Which seal keys a clinic's process may start with. Refuses the rest in one line without a key."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from patients.chain import BadKey, SealKey, VerifyKeys
from patients.crypto import is_weak

Key = TypeVar("Key")
DEVELOPMENT = "development"


def verify_keys(texts: Sequence[str]) -> list[str]:
    """Return the public keys that are trusted, one at least. Raises ImproperlyConfigured."""
    trusted = _parsed("AUDIT_VERIFY_KEYS", lambda: VerifyKeys.parse(texts))
    if not trusted.by_name or trusted.knows(DEVELOPMENT):
        raise ImproperlyConfigured("AUDIT_VERIFY_KEYS must name public keys of your own.")
    return list(texts)


def seal_key(text: str, trusted: Sequence[str]) -> str:
    """Return the private key that seals, whose public half is trusted under the same name.

    Raises ImproperlyConfigured.
    """
    key = _parsed("AUDIT_SEAL_KEY", lambda: SealKey.parse(text))
    if is_weak(key.private.private_bytes_raw()):
        raise ImproperlyConfigured("AUDIT_SEAL_KEY must be a key of your own.")
    if key.public() not in {one.strip() for one in trusted}:
        raise ImproperlyConfigured("AUDIT_VERIFY_KEYS must hold the public half of AUDIT_SEAL_KEY.")
    return text


def refuse_in_web_process() -> None:
    """Raise ImproperlyConfigured where the pages' own process could sign seals.

    Who breaks into a page could otherwise rewrite the audit and sign it again. Development keys
    are public anyway.
    """
    if getattr(settings, "DEVELOPMENT", False):
        return
    if settings.AUDIT_SEAL_KEY or "AUDIT_SEAL_KEY" in os.environ:
        raise ImproperlyConfigured("The web process must run without AUDIT_SEAL_KEY.")


def _parsed(name: str, parse: Callable[[], Key]) -> Key:
    try:
        return parse()
    except BadKey as error:
        raise ImproperlyConfigured(f"{name} cannot be used: {error}") from None
