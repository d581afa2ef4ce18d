"""Where messages may be handed over: over TLS, or without it on this machine only. Pure: asks no
settings, opens no connection."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LONGEST = 1_000


def parted(url: str) -> SplitResult | None:
    """Return the parts of an address that may be spoken to; None where it may not.

    That is https with a host and without a password in it; http where the host is this machine.
    """
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port_is_one = parts.port != 0
    except ValueError:
        return None
    if not parts.hostname or "@" in parts.netloc or not port_is_one:
        return None
    is_private = parts.scheme == "https" or (parts.scheme == "http" and is_here(parts.hostname))
    return parts if is_private else None


def is_here(host: str) -> bool:
    """Say whether a host is this machine."""
    return host in LOOPBACK


def is_push_service(url: str, *, hosts: Iterable[str]) -> bool:
    """Say whether an address, which a browser named, is one of these push services.

    `*.push.example` stands for every name below it. Ports other than 443 are for this machine,
    which is meant only where `hosts` names it.
    """
    parts = parted(url)
    if parts is None or parts.hostname is None:
        return False
    if parts.port not in {None, 443} and not is_here(parts.hostname):
        return False
    return any(_matches(parts.hostname, known) for known in hosts)


def _matches(host: str, known: str) -> bool:
    return host.endswith(known[1:]) if known.startswith("*.") else host == known
