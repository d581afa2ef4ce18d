"""Who is new here joins the waitlist: who they are, a code from their e-mail, and only then a row.

What is typed waits sealed in this browser's session, and goes with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from patients.codes import CodeRefused
from patients.crypto import SealBroken
from patients.privacy.pages import Audience, page
from patients.secrets import open_text, seal_text
from patients.throttle import TooManyRequests
from patients.visitors import browser_of, network_of
from scheduling.drafts import LONGEST
from scheduling.forms.portal import CodeForm
from scheduling.forms.portal_waitlist import NewcomerForm, WishForm
from scheduling.views.portal_choices import PortalRequest, answer, wish_of
from scheduling.views.portal_waitlist_join import (
    chosen,
    join_as,
    record_of,
    same_choices,
)
from scheduling.waitlist import newcomers
from scheduling.wishes import Wish as Search

SESSION_KEY = "waitlist_draft"
PURPOSE = "waitlist-draft"
KEPT = timedelta(hours=1)
TYPED = ("given_name", "family_name", "dob_month", "dob_day", "dob_year", "email", "phone")


@dataclass(slots=True)
class Draft:
    """What somebody typed about themselves, right or wrong, and the code that was sent since."""

    typed: dict[str, str] = field(default_factory=dict)
    code: str = ""


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def details(request: PortalRequest, slug: str) -> HttpResponse:
    """Ask who waits and how they are reached; a POST has a code sent there."""
    now = timezone.now()
    search = wish_of(request, slug)
    if chosen(request, search, now) is None or record_of(request, search) is not None:
        return redirect(same_choices(request, "waitlist_join", slug))
    draft = _draft(request, now)
    if request.method == "GET":
        return _show_details(request, search, _form(search, None, initial=_initial(draft)))
    draft.typed = {name: request.POST[name][:LONGEST] for name in TYPED if name in request.POST}
    _keep(request, draft, now)
    form = _form(search, request.POST)
    if not form.is_valid():
        return _show_details(request, search, form)
    return _send_code(request, search, form, draft, now)


def _form(search: Search, data: Any, *, initial: Any = None) -> NewcomerForm:
    return NewcomerForm(data, initial=initial, for_me=search.who != "other")


def _initial(draft: Draft) -> dict[str, Any]:
    birth = [draft.typed.get(f"dob_{part}", "") for part in ("month", "day", "year")]
    return {**draft.typed, "dob": birth}


def _show_details(
    request: PortalRequest, search: Search, form: NewcomerForm, *, error: str = ""
) -> HttpResponse:
    context = {
        "wish": search,
        "form": form,
        "error": error,
        "for_other": search.who == "other",
        "back": same_choices(request, "waitlist_check", search.clinic.slug),
    }
    return answer(request, "waitlist_details", context, status=429 if error else 200)


def _send_code(
    request: PortalRequest, search: Search, form: NewcomerForm, draft: Draft, now: datetime
) -> HttpResponse:
    try:
        draft.code = str(
            newcomers.ask_for_code(
                email=form.cleaned_data["email"],
                browser=browser_of(request),
                network=network_of(request),
                now=now,
            )
        )
    except TooManyRequests as refusal:
        return _show_details(request, search, form, error=str(refusal))
    _keep(request, draft, now)
    return redirect(same_choices(request, "waitlist_code", search.clinic.slug))


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def code(request: PortalRequest, slug: str) -> HttpResponse:
    """Take the code that proves the address, and join; or have another one sent."""
    now = timezone.now()
    search = wish_of(request, slug)
    wanted = chosen(request, search, now)
    if wanted is None or record_of(request, search) is not None:
        return redirect(same_choices(request, "waitlist_join", slug))
    draft = _draft(request, now)
    who = _form(search, draft.typed)
    if not (draft.code and who.is_valid()):
        return redirect(same_choices(request, "waitlist_details", slug))
    if request.method == "POST" and "again" in request.POST:
        return _send_code(request, search, who, draft, now)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _take_code(request, search, wanted, who, draft, form, now)
    return _show_code(request, search, who, form)


def _take_code(
    request: PortalRequest,
    search: Search,
    wanted: WishForm,
    who: NewcomerForm,
    draft: Draft,
    form: CodeForm,
    now: datetime,
) -> HttpResponse:
    try:
        patient = newcomers.prove(
            code_id=UUID(draft.code),
            code=form.cleaned_data["code"],
            details=who.details(),
            clinic=search.clinic,
            browser=browser_of(request),
            now=now,
        )
    except CodeRefused as refusal:
        form.add_error("code", str(refusal))
        return _show_code(request, search, who, form)
    back = same_choices(request, "waitlist_join", search.clinic.slug)
    response = join_as(request, wanted, patient, now, back=back)
    if response.status_code == HttpResponse(status=302).status_code:
        request.session.pop(SESSION_KEY, None)
    return response


def _show_code(
    request: PortalRequest, search: Search, who: NewcomerForm, form: CodeForm
) -> HttpResponse:
    context = {
        "wish": search,
        "form": form,
        "email": who.cleaned_data["email"],
        "details_href": same_choices(request, "waitlist_details", search.clinic.slug),
        "start_href": reverse("portal:clinic", args=[search.clinic.slug]),
    }
    return answer(request, "waitlist_code", context)


def _keep(request: PortalRequest, draft: Draft, now: datetime) -> None:
    """Seal what was typed into the session of the browser in which it was."""
    told = {"typed": draft.typed, "code": draft.code, "until": (now + KEPT).isoformat()}
    request.session[SESSION_KEY] = seal_text(PURPOSE, browser_of(request), json.dumps(told))


def _draft(request: PortalRequest, now: datetime) -> Draft:
    """Return what this browser typed within the hour; nothing where that is over."""
    sealed = request.session.get(SESSION_KEY)
    if sealed is None:
        return Draft()
    try:
        told = json.loads(open_text(PURPOSE, browser_of(request), sealed))
    except SealBroken:  # another browser's, or of a key that is gone
        return Draft()
    if datetime.fromisoformat(told["until"]) < now:
        return Draft()
    return Draft(told["typed"], told["code"])
