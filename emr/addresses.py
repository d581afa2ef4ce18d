"""Which addresses a record system may be asked at: over TLS, or without it on this machine only.

Pure: asks no settings, opens no connection.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST = 8_000
PORTS = {"https": 443, "http": 80}

Origin = tuple[str, str, int]


def origin_of(url: str) -> Origin | None:
    """Return scheme, host and port of an address that may be spoken to; None of any other.

    That is https, or http where the host is this machine, without a password in it.
    """
    parts = _split(url)
    if parts is None or not parts.hostname or "@" in parts.netloc or parts.scheme not in PORTS:
        return None
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return None
    return parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]


def _split(url: str) -> SplitResult | None:
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return None
    if "\\" in url:  # some readers take it for a slash, and the host for another
        return None
    try:
        parts = urlsplit(url)
        is_one = parts.port != 0
    except ValueError:
        return None
    return parts if is_one else None
