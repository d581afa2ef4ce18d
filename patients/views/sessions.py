"""Where somebody is signed in, for staff and for patients: each sign-in can be ended from here."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.devices import browser_name, device_name
from patients.privacy.pages import Audience, page
from patients.privacy.sign_in import sessions
from patients.privacy.sign_in.sessions import OpenSession


@page(audience=Audience.STAFF, methods=("GET", "POST"))
def of_staff(request: HttpRequest) -> HttpResponse:
    """List a member of staff's sign-ins, and end what is asked."""
    return _answer(request, "account_sessions", "allauth/layouts/manage.html")


@page(audience=Audience.PATIENT, methods=("GET", "POST"))
def of_patient(request: HttpRequest) -> HttpResponse:
    """List a patient's sign-ins, and end what is asked."""
    return _answer(request, "portal:sessions", "portal/base.html")


def _answer(request: HttpRequest, name: str, layout: str) -> HttpResponse:
    if request.method == "POST":
        _end(request)
        return redirect(name)
    current = request.session.session_key or ""
    found = sessions.open_sessions(request.user, current=current)  # type: ignore[arg-type]
    context = {"rows": [_row(each) for each in found], "layout": layout, "others": len(found) > 1}
    return render(request, "account/sessions.html", context)


def _end(request: HttpRequest) -> None:
    """End one sign-in or all others; never the one at hand, which signing out is for."""
    asked = request.POST.get("session", "")
    if asked and not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return
    count = sessions.end_sessions(
        request.user.pk,  # type: ignore[arg-type]
        keep=request.session.session_key or "",
        only=int(asked) if asked else None,
    )
    told = ngettext("%(count)s sign-in was ended.", "%(count)s sign-ins were ended.", count)
    messages.success(request, told % {"count": count})


def _row(each: OpenSession) -> dict[str, Any]:
    return {
        "pk": each.pk,
        "device": _device(each.user_agent),
        "address": each.address,
        "since": each.since,
        "seen": each.seen,
        "is_recent": timezone.now() - each.seen < timedelta(minutes=1),
        "is_current": each.is_current,
    }


def _device(user_agent: str) -> str:
    browser, device = browser_name(user_agent), device_name(user_agent)
    if browser and device:
        return _("%(browser)s on %(device)s") % {"browser": browser, "device": device}
    return browser or device or _("Unknown device")
