"""Which browser and which network a request comes from, as digests that say nothing else.

The browser is known by a random value in its session, which survives signing in.
"""

from __future__ import annotations

import secrets

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from patients.client_address import client_address
from patients.crypto import token_digest

SESSION_KEY = "browser"


def browser_of(request: HttpRequest) -> str:
    """Return the 64-character digest of this browser's random value, made when first asked for."""
    value = request.session.get(SESSION_KEY)
    if value is None:
        value = request.session[SESSION_KEY] = secrets.token_urlsafe(24)
    return token_digest(value).hex()


def known_browser(request: HttpRequest) -> str:
    """Return the digest of a browser that was asked for it before; "" where it was not."""
    value = request.session.get(SESSION_KEY)
    return token_digest(value).hex() if value else ""


def network_of(request: HttpRequest) -> str:
    """Return the 64-character keyed digest of the client's address.

    The address is the one that staff sign-in is throttled by, so that proxies are set up once.
    """
    address = client_address(request)
    return salted_hmac("patients.visitors", address, algorithm="sha256").hexdigest()
