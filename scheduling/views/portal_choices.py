"""What every page of the portal's booking begins with: the clinic, and the choices made so far."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from patients.models import Patient
from patients.privacy.pages import PageRequest
from patients.visitors import SESSION_KEY, browser_of
from providers.models import Clinic
from scheduling import checkout
from scheduling.actors import Actor
from scheduling.forms.portal_wish import UnknownChoice, read_wish
from scheduling.models import SlotHold
from scheduling.wishes import Wish

# Who, what, day, time, details, check and code; a record that is known needs no code.
STEPS = 7


class PortalRequest(PageRequest):
    """A request of somebody signed in as a patient, or of nobody in particular."""

    user: User | AnonymousUser


def wish_of(request: PortalRequest, slug: str) -> Wish:
    """Return the choices in the address, at a clinic that takes bookings; raises Http404."""
    try:
        wish = read_wish(request.GET, Clinic.objects.active().filter(slug=slug))
    except UnknownChoice as error:
        raise Http404 from error
    request.clinic = wish.clinic
    return wish


def open_question(wish: Wish) -> str:
    """Return the page that asks what has not been answered yet; empty when all is known."""
    if not (wish.who and wish.params.get("first")):
        return "who"
    return "" if wish.kind else "visit"


def steps_of(wish: Wish) -> int:
    """Return how many steps the booking has, for what is known of who it is for."""
    return STEPS if wish.who in {"", "me", "other"} else STEPS - 1


def records_of(request: PortalRequest) -> QuerySet[Patient]:
    """Return the records that the signed-in patient opens."""
    if not request.user.is_authenticated:
        return Patient.objects.none()
    return Patient.objects.filter(user=request.user, merged_into=None).order_by("created_at")


def actor_of(request: PortalRequest) -> Actor:
    return Actor.patient(request.user.pk if request.user.is_authenticated else None)


def known_browser(request: HttpRequest) -> str:
    """Return this browser's digest, or nothing for one that never kept a time."""
    return browser_of(request) if SESSION_KEY in request.session else ""


def own_hold(request: HttpRequest, now: datetime) -> SlotHold | None:
    """Return the live hold of this browser, which takes nothing away from itself."""
    browser = known_browser(request)
    hold = checkout.latest(browser=browser) if browser else None
    return hold if hold is not None and hold.expires_at > now else None


def addresses(wish: Wish) -> dict[str, str]:
    """Return where the questions are asked, with the choices made so far."""
    names = ["who", "visit", "preferences", "days", "by_phone"]
    found = {f"{name}_href": wish.address(name) for name in names}
    return {**found, "waitlist_href": wish.address("waitlist_join")}


def answer(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """Render a page with the addresses around it; a form with errors in it answers 422."""
    if wish := context.get("wish"):
        context = {**addresses(wish), **context}
    form = context.get("form")
    if status == 200 and form is not None and form.is_bound and form.errors:
        status = 422
    return render(request, f"portal/{template}.html", context, status=status)
