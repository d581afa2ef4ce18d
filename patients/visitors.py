"""Which browser and which network a request comes from, as digests that say nothing else.

The browser is known by a random value in its session, which survives signing in.
"""

from __future__ import annotations

import secrets

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from patients.crypto import token_digest

SESSION_KEY = "browser"


def browser_of(request: HttpRequest) -> str:
    """Return the 64-character digest of this browser's random value, made when first asked for."""
    value = request.session.get(SESSION_KEY)
    if value is None:
        value = request.session[SESSION_KEY] = secrets.token_urlsafe(24)
    return token_digest(value).hex()


def network_of(request: HttpRequest) -> str:
    """Return the 64-character keyed digest of the client's address.

    The address is the one that staff sign-in is throttled by, so that proxies are set up once.
    """
    address = get_adapter(request).get_client_ip(request)
    return salted_hmac("patients.visitors", address, algorithm="sha256").hexdigest()
