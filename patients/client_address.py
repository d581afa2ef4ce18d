"""Where a request came from, as the proxies that we trust saw it. Believes nothing that a visitor
can write and fails at nothing that one does: limits and the record of looks both count by it."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

NOWHERE = "0.0.0.0"  # noqa: S104 - no address to listen at: what stands for none
LONGEST = 60
WITH_PORT = re.compile(r"\A(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})\Z")


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address; NOWHERE when nobody that we trust has named one.

    Each of `settings.ALLAUTH_TRUSTED_PROXY_COUNT` proxies added the address that it saw to the
    end of X-Forwarded-For. A list that is shorter did not come by them: then the address of the
    connection counts, as it does for an entry that is none. Never raises.
    """
    proxies: int = getattr(settings, "ALLAUTH_TRUSTED_PROXY_COUNT", 0)
    named = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded = named[-proxies] if 0 < proxies <= len(named) else ""
    return _address(forwarded) or _address(request.META.get("REMOTE_ADDR", "")) or NOWHERE


def _address(text: str) -> str:
    """Return an address in its shortest form, without a port or a zone; "" of anything else."""
    text = text.strip()
    if len(text) > LONGEST:
        return ""
    if match := WITH_PORT.match(text):
        text = match[1] or match[2] or ""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
