"""Pages about a kept time: whose hold it is, what it shows, and where it goes once it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from providers.models import Clinic
from scheduling import checkout
from scheduling.availability import is_free
from scheduling.drafts import Draft
from scheduling.forms.portal import DetailsForm, ReasonForm, slot_value
from scheduling.forms.portal_wish import UnknownChoice, read_wish
from scheduling.holds import MOST_EXTENSIONS
from scheduling.models import SlotHold
from scheduling.policies import terms_for
from scheduling.presenters import clock, long_date
from scheduling.views.portal_choices import (
    STEPS,
    PortalRequest,
    actor_of,
    answer,
    known_browser,
)
from scheduling.views.portal_offers import unbroken
from scheduling.views.portal_refusals import alternatives
from scheduling.wishes import Wish

HeldView = Callable[[PortalRequest, SlotHold, datetime], HttpResponse]
PortalView = Callable[[PortalRequest, UUID], HttpResponse]
UNKNOWN_PEOPLE = {"", "me", "other"}


def with_hold(view: HeldView) -> PortalView:
    """Hand a view this browser's hold, live or ended; nobody else's is ever found.

    A hold that became a visit leads to that visit, one that was replaced to its successor.
    """

    @wraps(view)
    def find(request: PortalRequest, pk: UUID) -> HttpResponse:
        now = timezone.now()
        browser = known_browser(request)
        hold = checkout.find(pk, browser=browser) if browser else None
        if hold is None:
            return _elsewhere(request, pk, browser, now)
        if is_record(hold) and (hold.patient is None or hold.patient.user_id != request.user.pk):
            raise Http404
        request.clinic = hold.clinic
        return view(request, hold, now)

    return find


def _elsewhere(request: PortalRequest, pk: UUID, browser: str, now: datetime) -> HttpResponse:
    if browser and checkout.booked_from(pk, browser=browser, now=now):
        return redirect("portal:booked", pk=pk)
    successor = checkout.latest(browser=browser) if browser else None
    if successor is not None:
        return redirect("portal:details", pk=successor.pk)
    return answer(request, "hold_gone", {}, status=404)


def is_record(hold: SlotHold) -> bool:
    """Whether the visit is for a record of somebody signed in, who need not type who they are."""
    return Draft.load(hold.draft).choices.get("who", "") not in UNKNOWN_PEOPLE


def wish_of_hold(hold: SlotHold) -> Wish:
    """Return the choices that led to this hold, or its visit alone if they are out of date."""
    choices = Draft.load(hold.draft).choices
    try:
        wish = read_wish(choices, Clinic.objects.filter(pk=hold.clinic_id))
    except UnknownChoice:
        wish = Wish(clinic=hold.clinic)
    if wish.kind is not None:
        return wish
    params = {name: value for name, value in choices.items() if name in {"who", "first"}}
    return Wish(clinic=hold.clinic, params=params, kind=hold.visit_type)


def details_form(hold: SlotHold, data: Any = None, *, initial: Any = None) -> ReasonForm:
    """Return the form for who comes, or for the reason alone where that is known."""
    if is_record(hold):
        return ReasonForm(data, initial=initial)
    for_me = Draft.load(hold.draft).choices.get("who") != "other"
    return DetailsForm(data, initial=initial, for_me=for_me)


def held_context(hold: SlotHold, now: datetime, *, page: str) -> dict[str, Any]:
    """Return what every page about a kept time shows: the time, and until when it is kept."""
    zone = hold.clinic.zone
    start, until = hold.visit_start.astimezone(zone), hold.expires_at.astimezone(zone)
    extend = f"{reverse('portal:extend', args=[hold.pk])}?to={page}"
    return {
        "hold": hold,
        "kept": {
            "what": _("%(when)s with %(name)s")
            % {"when": unbroken(start), "name": hold.provider.name},
            "time": clock(start),
            "day": long_date(start),
            "until": clock(until),
            "until_iso": until.isoformat(timespec="minutes"),
            "seconds": max(0, int((hold.expires_at - now).total_seconds())),
            "extend_url": extend if hold.extensions < MOST_EXTENSIONS else None,
        },
        "total": STEPS - 1 if is_record(hold) else STEPS,
    }


def show_ended(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    """Say that the wait was too long, and offer the same time if it is still free, or others."""
    wish = wish_of_hold(hold)
    query = replace(wish.query(*wish.horizon(now)), provider=hold.provider)
    terms = terms_for(actor_of(request))
    still = is_free(query, start=hold.visit_start, terms=terms, now=now)
    context = {
        **held_context(hold, now, page="details"),
        "wish": wish,
        "same": slot_value(hold.visit_start, hold.provider) if still else "",
        "offers": []
        if still
        else alternatives(request, wish, hold.provider, hold.visit_start, now=now),
        "post_to": reverse("portal:again", args=[hold.pk]),
    }
    return answer(request, "hold_ended", context)
