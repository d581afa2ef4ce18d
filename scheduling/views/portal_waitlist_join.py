"""Patients join the waitlist: what would do, what is free already, and only then a POST that joins.

What they would take stands in the address and says nothing about them. Who is new here proves an
e-mail address first, on pages of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, page
from scheduling.availability import FreeSlot
from scheduling.errors import SchedulingError
from scheduling.forms.portal import slot_value
from scheduling.forms.portal_waitlist import CARE, PARTS, PROVIDER, Asked, WishForm
from scheduling.models import Appointment, WaitlistEntry
from scheduling.refusal_words import in_words
from scheduling.standing import standing_of
from scheduling.views.portal_choices import (
    PortalRequest,
    answer,
    open_question,
    records_of,
    wish_of,
)
from scheduling.views.portal_offers import offers, unbroken
from scheduling.views.portal_visit import visit_page
from scheduling.views.portal_waiting import (
    actor_for,
    asked_of_visit,
    cares_of,
    coming_visits,
    facts_of,
    people,
    say_joined,
    takes_video,
)
from scheduling.visit_facts import Fact
from scheduling.waitlist import entries
from scheduling.waitlist.finding import found_now
from scheduling.waitlist.reach import admit_entry
from scheduling.wishes import FIRST_VISIT
from scheduling.wishes import Wish as Search

UNKNOWN_PEOPLE = {"", "me", "other"}


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def join(request: PortalRequest, slug: str) -> HttpResponse:
    """Ask somebody who found no time what they would take."""
    search = wish_of(request, slug)
    if missing := open_question(search):
        return redirect(search.address(missing))
    asked = asked_of_search(request, search, timezone.now())
    if not asked.providers:
        return redirect(search.address("by_phone"))
    form = WishForm(_told(request, asked), asked=asked, initial=_initial(search))
    if request.method == "POST" and form.is_valid():
        return redirect(search_address("waitlist_check", search, form))
    context = {
        "wish": search,
        "form": form,
        "back": search.address("days"),
        "kind": asked.kind,
        "visit": None,
    }
    return answer(request, "waitlist_join", context)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def check(request: PortalRequest, slug: str) -> HttpResponse:
    """Show what is free already and what was chosen; a POST joins, or asks who is new for more."""
    now = timezone.now()
    search = wish_of(request, slug)
    form = chosen(request, search, now)
    if form is None:
        return redirect(same_choices(request, "waitlist_join", slug))
    patient = record_of(request, search)
    back = same_choices(request, "waitlist_join", slug)
    if request.method == "POST":
        if patient is None:
            return redirect(search_address("waitlist_details", search, form))
        return join_as(request, form, patient, now, back=back)
    found = found_now(form.wish(), patient=patient, clinic=search.clinic, now=now)
    anything = search.address("times", care="", provider="", time="", language="", plan="")
    context = {
        "wish": search,
        "facts": _facts(form),
        "offers": offers(found),
        "post_to": anything,
        "back": back,
        "is_known": patient is not None,
    }
    return answer(request, "waitlist_check", context)


def chosen(request: PortalRequest, search: Search, now: datetime) -> WishForm | None:
    """Return the choices that the address carries; None where they will not do."""
    if open_question(search):
        return None
    form = WishForm(request.GET, asked=asked_of_search(request, search, now))
    return form if form.is_valid() else None


def record_of(request: PortalRequest, search: Search) -> Patient | None:
    """Return the signed-in patient's record that was chosen; None of somebody unknown. 404."""
    if search.who in UNKNOWN_PEOPLE:
        return None
    return get_object_or_404(records_of(request), pk=search.who)


def asked_of_search(request: PortalRequest, search: Search, now: datetime) -> Asked:
    """Return the questions for somebody who looked for a time and found none."""
    is_new = search.params.get("first") == FIRST_VISIT
    kind, clinic = search.visit_type, search.clinic
    found = people(clinic, kind, now, specialty=search.specialty, is_new=is_new)
    patient = record_of(request, search)
    return Asked(
        clinic=clinic,
        kind=kind,
        providers=found,
        cares=cares_of(found),
        visits=coming_visits(request, patient, clinic, now) if patient else (),
        video=takes_video(kind, found),
        today=now.astimezone(clinic.zone).date(),
    )


def _told(request: PortalRequest, asked: Asked) -> Any:
    """Return what was sent; or what the address carries, where somebody came back to change it."""
    if request.method == "POST":
        return request.POST
    return request.GET if "whom" in request.GET else None


def _initial(search: Search) -> dict[str, Any]:
    """Return what the search for a time has told already."""
    initial: dict[str, Any] = {}
    if search.provider is not None:
        initial["whom"] = f"{PROVIDER}:{search.provider.pk}"
    elif search.specialty is not None:
        initial["whom"] = f"{CARE}:{search.specialty.pk}"
    if search.params.get("time") in PARTS:
        initial["part"] = search.params["time"]
    return initial


def search_address(name: str, search: Search, form: WishForm) -> str:
    """Return a page's address with the choices of the search and of the wish in it."""
    params = [*search.params.items(), *form.params()]
    return f"{reverse(f'portal:{name}', args=[search.clinic.slug])}?{urlencode(params)}"


def same_choices(request: PortalRequest, name: str, *args: Any) -> str:
    """Return another page with the same choices in its address."""
    return f"{reverse(f'portal:{name}', args=args)}?{request.GET.urlencode()}"


def _facts(form: WishForm) -> list[Fact]:
    """Return what was chosen in words, as it would stand on the list."""
    entry = WaitlistEntry(clinic=form.asked.clinic, **form.wish().columns)
    return facts_of(entry, is_own=False)


def join_as(
    request: PortalRequest, form: WishForm, patient: Patient, now: datetime, *, back: str
) -> HttpResponse:
    """Write the wish down, and go on to its page; a refusal in words otherwise (409)."""
    try:
        entry, is_new = entries.join(
            patient=patient,
            clinic=form.asked.clinic,
            wish=form.wish(),
            source=WaitlistEntry.Source.PORTAL,
            by=actor_for(request, patient),
            now=now,
        )
    except SchedulingError as refusal:
        return refused(request, refusal, form.asked.clinic, back=back)
    admit_entry(request.session, entry)
    say_joined(request, is_new=is_new)
    return redirect("portal:waitlist_entry", pk=entry.pk)


def refused(
    request: PortalRequest, refusal: SchedulingError, clinic: Any, *, back: str
) -> HttpResponse:
    """Say why somebody cannot wait for this (409), and lead back to what they chose."""
    context = {"refusal": in_words(refusal), "back": back, "clinic": clinic}
    return answer(request, "waitlist_refused", context, status=409)


@visit_page(methods=("GET", "POST"))
def earlier(request: Any, visit: Appointment, now: datetime) -> HttpResponse:
    """Ask which earlier times would do in place of a visit."""
    asked = asked_of_visit(visit, now)
    if not can_wait(visit, now) or not (asked.providers or asked.cares):
        return redirect("portal:manage", pk=visit.pk)
    form = WishForm(_told(request, asked), asked=asked, initial=_of_visit(visit, asked))
    if request.method == "POST" and form.is_valid():
        address = reverse("portal:waitlist_earlier_check", args=[visit.pk])
        return redirect(f"{address}?{urlencode(form.params())}")
    context = {
        "form": form,
        "visit": visit,
        "moment": unbroken(visit.local_start),
        "kind": visit.appointment_type,
        "back": reverse("portal:manage", args=[visit.pk]),
    }
    return answer(request, "waitlist_join", context)


def can_wait(visit: Appointment, now: datetime) -> bool:
    """Whether a visit is still to come, and so could be had sooner."""
    is_open = standing_of(visit, now=now).page in {"open", "confirmed"}
    return is_open and visit.scheduled_start > now


def _of_visit(visit: Appointment, asked: Asked) -> dict[str, Any]:
    named = [one for one in asked.providers if one.pk == visit.provider_id]
    return {"whom": f"{PROVIDER}:{visit.provider_id}"} if named else {}


@visit_page(methods=("GET", "POST"))
def earlier_check(request: Any, visit: Appointment, now: datetime) -> HttpResponse:
    """Show the earlier times that are free already; a POST joins the waitlist for others."""
    if not can_wait(visit, now):
        return redirect("portal:manage", pk=visit.pk)
    form = WishForm(request.GET, asked=asked_of_visit(visit, now))
    back = same_choices(request, "waitlist_earlier", visit.pk)
    if not form.is_valid():
        return redirect(back)
    if request.method == "POST":
        return join_as(request, form, visit.patient, now, back=back)
    found = found_now(form.wish(), patient=visit.patient, clinic=visit.clinic, now=now)
    moves = form.wish().replaces is not None and standing_of(visit, now=now).can_change
    context = {
        "visit": visit,
        "moment": unbroken(visit.local_start),
        "facts": _facts(form),
        "steps": _moves(visit, found) if moves else [],
        "back": back,
        "is_known": True,
    }
    return answer(request, "waitlist_check", context)


def _moves(visit: Appointment, found: list[FreeSlot]) -> list[dict[str, str]]:
    """Return the free times as links to a look at old and new; with others too, where need be."""
    address = reverse("portal:change_check", args=[visit.pk])
    return [
        {
            "title": unbroken(slot.local_start),
            "detail": _("with %(name)s") % {"name": slot.provider.name},
            "href": f"{address}?{urlencode({'slot': slot_value(slot.start, slot.provider)})}",
        }
        for slot in found
    ]
