"""What a session has proved beyond a password, how long ago, and where the rest is asked for.

The library notes each proof in the session, bound to its user; nothing else is believed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from patients.privacy.sign_in import unsent

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
SECOND = "mfa"
DEMO = "demo"
WANTED_KEY = "wanted_before_set_up"
BY_ANOTHER_WAY = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
SET_UP_PAGES = {
    "account_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_index",
}
PROOF_PAGES = {"mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


def has_passed(request: HttpRequest) -> bool:
    """Say whether this session's user has shown a second factor in it."""
    return bool(_proofs(request))


def is_fresh(request: HttpRequest, minutes: int = 5) -> bool:
    """Say whether this session's user has shown a second factor within so many minutes.

    The demo's own door always counts: whoever came by it could show nothing again.
    """
    return any(
        proof["method"] == DEMO or time.time() - proof["at"] < minutes * 60
        for proof in _proofs(request)
    )


def signed_in_within(request: HttpRequest, minutes: int) -> bool:
    """Say whether this session's user has shown anything, a password too, so recently."""
    records = get_authentication_records(request, request.user)
    return any(time.time() - record["at"] < minutes * 60 for record in records)


def _proofs(request: HttpRequest) -> list[dict[str, Any]]:
    accepted = {SECOND, DEMO} if _is_demo() else {SECOND}
    records = get_authentication_records(request, request.user)
    return [record for record in records if record.get("method") in accepted]


def _is_demo() -> bool:
    return bool(getattr(settings, "DEVELOPMENT", False) and getattr(settings, "DEMO_ENTRY", False))


def vouch_for_demo(request: HttpRequest, user: User) -> None:
    """Note that the demo's own door let this user in; it counts nowhere but in the demo."""
    record_authentication(request, user, DEMO)


def note_set_up(request: HttpRequest, user: User, kind: str) -> None:
    """Note that a factor was set up just now, which has shown that the user holds it."""
    record_authentication(request, user, SECOND, type=kind, set_up=True)


def has_factor(user: Any) -> bool:
    """Say whether this user could be asked for a second factor at all."""
    known: bool = Authenticator.objects.filter(user_id=user.pk, type__in=BY_ANOTHER_WAY).exists()
    return known


def ask_for_proof(request: HttpRequest) -> HttpResponse | None:
    """Lead a session that has shown no second factor to where it can; None on that very page."""
    name = request.resolver_match.url_name if request.resolver_match else ""
    known = has_factor(request.user)
    if name in (PROOF_PAGES if known else SET_UP_PAGES):
        return None
    if known:
        return ask_again(request)
    if request.method == "GET":
        request.session[WANTED_KEY] = request.get_full_path()
    return _turned_away(request, "mfa_index")


def ask_again(request: HttpRequest) -> HttpResponse:
    """Lead to where the second factor is asked for, and back here afterwards.

    What a POST brought is kept sealed, and shown for sending it again.
    """
    back = unsent.keep(request) if request.method == "POST" else request.get_full_path()
    types = Authenticator.objects.filter(user_id=request.user.pk).values_list("type", flat=True)
    by_code = Authenticator.Type.TOTP in types or Authenticator.Type.WEBAUTHN not in types
    page = "mfa_reauthenticate" if by_code else "mfa_reauthenticate_webauthn"
    return _turned_away(request, f"{reverse(page)}?{urlencode({'next': back})}")


def _turned_away(request: HttpRequest, where: str) -> HttpResponse:
    """Lead elsewhere, and let the record of looks say that the page was refused."""
    request.turned_away = True  # type: ignore[attr-defined]
    return redirect(where)


def fresh(*, minutes: int = 5) -> Callable[[View], View]:
    """Ask for the second factor before a view unless it was shown within so many minutes."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not is_fresh(request, minutes):
                return ask_again(request)
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return guard
