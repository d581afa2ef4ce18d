"""What the layouts need to warn before a sign-in ends: how long is left, and where to sign in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from patients.privacy.sign_in import sessions
from patients.registration import ACCOUNT_PREFIX


def sign_in(request: HttpRequest) -> dict[str, Any]:
    """Return `sign_in`, looked at only where a template asks for it; None for strangers."""
    return {"sign_in": SimpleLazyObject(lambda: state_of(request))}


def state_of(request: HttpRequest) -> dict[str, Any] | None:
    """Return seconds left, whether more can be had, and where one would sign in again."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    times, now = sessions.times_of(request.session), sessions.clock()
    is_patient = user.username.startswith(ACCOUNT_PREFIX)
    return {
        "seconds": times.seconds_left(now),
        "can_stay": times.can_stay(now),
        "warning": settings.SESSION_WARNING_SECONDS,
        "entry": reverse("portal:sign_in") if is_patient else resolve_url(settings.LOGIN_URL),
        "is_patient": is_patient,
    }
