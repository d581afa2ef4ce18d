"""Which ways to other machines are private enough for a clinic. Refuses the rest in one line, which
never repeats an address's password."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured

TLS_FLOOR = "TLSv1.2"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Each of these could name another server, or another way to it, than the one that was looked at.
DETOURS = ("hostaddr", "service", "passfile", "requiressl")
DETOURS_OF_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGSERVICE")


def private_database(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a DATABASES entry whose every connection is a Unix socket, or TLS that was verified.

    A Unix socket cannot carry TLS and needs none: the kernel lets nobody else listen. Anything
    with a network address, loopback too, needs `sslmode=verify-full`. Raises ImproperlyConfigured.
    """
    options = settings["OPTIONS"]
    if found := [name for name in DETOURS if name in options]:
        raise ImproperlyConfigured(f"DATABASE_URL must not use {found[0]}.")
    hosts = str(settings.get("HOST") or "").split(",")
    _no_detour_by_environment(names_a_host=hosts != [""])
    if all(host.startswith("/") or not host for host in hosts):
        return settings
    if options.get("sslmode") != "verify-full":
        raise ImproperlyConfigured(
            "DATABASE_URL must say sslmode=verify-full, or lead to a Unix socket (?host=/dir)."
        )
    floor = options.setdefault("ssl_min_protocol_version", TLS_FLOOR)
    if floor not in {TLS_FLOOR, "TLSv1.3"}:
        raise ImproperlyConfigured(f"DATABASE_URL must not allow TLS below {TLS_FLOOR}.")
    options["gssencmode"] = "disable"  # or Kerberos could take the place of the verified TLS
    return settings


def _no_detour_by_environment(*, names_a_host: bool) -> None:
    for name in DETOURS_OF_LIBPQ:
        if os.environ.get(name) and not (name == "PGHOST" and names_a_host):
            raise ImproperlyConfigured(
                f"{name} is set, and could lead elsewhere than DATABASE_URL."
            )


def private_redis(url: str) -> str:
    """Return the address of a Redis on this machine, or behind verified TLS.

    Raises ImproperlyConfigured.
    """
    if not url:
        return url
    parts = urlsplit(url)
    asked = {name: given[-1].lower() for name, given in parse_qs(parts.query).items()}
    if parts.scheme == "unix" or (parts.scheme == "redis" and parts.hostname in LOOPBACK):
        return url
    if parts.scheme != "rediss":
        raise ImproperlyConfigured("REDIS_URL must use rediss:// when Redis is on another machine.")
    if asked.get("ssl_cert_reqs", "required") != "required" or (
        asked.get("ssl_check_hostname", "true") not in {"true", "1", "yes"}
    ):
        raise ImproperlyConfigured("REDIS_URL must not switch the check of the certificate off.")
    return url
