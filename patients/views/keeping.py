"""Staying signed in, and what was typed into a form that came too late."""

from __future__ import annotations

import re
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from patients.privacy.pages import Audience, page
from patients.privacy.sign_in import factor, sessions, unsent
from patients.privacy.sign_in.context import state_of

HIDDEN = {"next", "key", "seen", "slot", "day", "hold", "stamp", "version"}
TOKEN = re.compile(r"[\w.:+/=-]{40,}")
LABELS = {
    "given_name": _("First name"),
    "family_name": _("Last name"),
    "dob": _("Date of birth"),
    "dob_month": _("Month of birth"),
    "dob_day": _("Day of birth"),
    "dob_year": _("Year of birth"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "reason": _("Reason"),
    "text": _("Note"),
    "q": _("Search"),
}


@page(audience=Audience.PUBLIC, passive=True)
def state(request: HttpRequest) -> HttpResponse:
    """Say how many seconds a sign-in has left, without keeping it alive; 401 where it is over."""
    told = state_of(request)
    if told is None:
        return HttpResponse(status=401)
    return JsonResponse({name: told[name] for name in ("seconds", "can_stay")})


@page(audience=Audience.PUBLIC, methods=("POST",))
def stay(request: HttpRequest) -> HttpResponse:
    """Keep a sign-in alive from now on: asked by the warning, or by its form without a script."""
    if not request.user.is_authenticated:
        return HttpResponse(status=401)
    sessions.keep_alive(request.session, at_once=True)
    if "application/json" in request.headers.get("Accept", ""):
        return state(request)
    back = request.POST.get("next", "")
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(back if is_ours else "home")


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def unsent_form(request: HttpRequest) -> HttpResponse:
    """Show what waits for sending again; a POST throws it away."""
    told = unsent.waiting(request)
    if told is None:
        return redirect("home")
    if told.for_staff and not factor.has_passed(request):
        return factor.ask_for_proof(request) or redirect("home")
    if request.method == "POST":
        unsent.discard(request)
        return redirect("home")
    shown = [
        {"label": _label(name), "value": value}
        for name, value in told.fields
        if _is_typed(name, value)
    ]
    layout = "allauth/layouts/manage.html" if told.for_staff else "portal/base.html"
    return render(request, "account/unsent.html", {"unsent": told, "rows": shown, "layout": layout})


def _label(name: str) -> str:
    known = name.rpartition("-")[2]
    return str(LABELS.get(known) or known.replace("_", " ").capitalize())


def _is_typed(name: str, value: str) -> bool:
    """Whether a person would know this field: no ids, stamps or keys."""
    if not value.strip() or name in HIDDEN or TOKEN.fullmatch(value):
        return False
    try:
        UUID(value)
    except ValueError:
        return True
    return False
