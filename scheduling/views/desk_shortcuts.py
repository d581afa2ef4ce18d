"""The list of keys, and the switch that turns single keys off in this browser."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from patients.privacy.context import SHORTCUTS_COOKIE
from patients.privacy.pages import Audience, page

A_YEAR = 365 * 24 * 60 * 60


@page(audience=Audience.DESK, permission="view_appointments", methods=("GET", "POST"))
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Show the keys; a POST with `keys` "on" or "off" keeps the choice for a year."""
    if request.method == "GET":
        return render(request, "desk/shortcuts.html", {"nav_current": "shortcuts"})
    off = request.POST.get("keys") == "off"
    messages.success(request, _("Single keys are off.") if off else _("Single keys are on."))
    answer = redirect("desk:shortcuts")
    answer.set_cookie(
        SHORTCUTS_COOKIE,
        "off" if off else "on",
        max_age=A_YEAR,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return answer
