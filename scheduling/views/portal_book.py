"""From a kept time to a booked visit: details, check, code. Every page names the time it keeps."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.codes import CodeRefused
from patients.privacy.pages import Audience, page
from patients.throttle import TooManyRequests
from patients.visitors import network_of
from scheduling import checkout, links
from scheduling.drafts import Draft
from scheduling.errors import HoldExpired, SchedulingError
from scheduling.forms.portal import CodeForm, DetailsForm, ReasonForm, SlotForm
from scheduling.forms.portal_wish import offered_providers
from scheduling.holds import extend_hold
from scheduling.models import SlotHold
from scheduling.presenters import clock
from scheduling.views.portal_choices import PortalRequest, actor_of, answer, known_browser
from scheduling.views.portal_held import (
    details_form,
    held_context,
    is_record,
    show_ended,
    wish_of_hold,
    with_hold,
)
from scheduling.views.portal_offers import unbroken
from scheduling.views.portal_refusals import refuse
from scheduling.views.portal_summary import answers
from scheduling.views.portal_times import keep_time
from scheduling.visit_facts import hours, place
from scheduling.visit_words import visit_name

TYPED = (
    "given_name",
    "family_name",
    "dob_month",
    "dob_day",
    "dob_year",
    "email",
    "phone",
    "reason",
)
PAGES = {"details", "check", "code"}


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
@with_hold
def details(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    """Ask who comes and how they are reached; what is typed is kept, right or wrong."""
    if request.method == "POST":
        return _take_details(request, hold, now)
    if hold.expires_at <= now:
        return show_ended(request, hold, now)
    typed = Draft.load(hold.draft).typed
    birth = [typed.get(f"dob_{part}", "") for part in ("month", "day", "year")]
    form = details_form(hold, initial={**typed, "dob": birth})
    return _show_details(request, hold, form, now)


def _take_details(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    _remember(request, hold)
    try:
        hold = checkout.keep_again(hold, by=actor_of(request), now=now)
    except SchedulingError as refusal:
        return _refuse(request, hold, refusal, now)
    form = details_form(hold, request.POST)
    if form.is_valid():
        return redirect("portal:check", pk=hold.pk)
    return _show_details(request, hold, form, now)


def _remember(request: PortalRequest, hold: SlotHold) -> None:
    """Keep what was typed. Whoever was proved by a code is not whoever is typed over them."""
    draft = Draft.load(hold.draft)
    before = {**draft.typed, "reason": ""}
    draft.type({name: request.POST[name] for name in TYPED if name in request.POST})
    if not is_record(hold) and {**draft.typed, "reason": ""} != before:
        hold.patient = None
    checkout.write(hold, draft)


def _show_details(
    request: PortalRequest, hold: SlotHold, form: ReasonForm, now: datetime
) -> HttpResponse:
    context = {
        **held_context(hold, now, page="details"),
        "form": form,
        "back": wish_of_hold(hold).address("times", day=_day(hold)),
        "for_record": hold.patient if is_record(hold) else None,
        "for_other": Draft.load(hold.draft).choices.get("who") == "other",
        "step": 5,
    }
    return answer(request, "details", context)


def _day(hold: SlotHold) -> str:
    return hold.visit_start.astimezone(hold.clinic.zone).date().isoformat()


@page(audience=Audience.PUBLIC, methods=("POST",), phi=True)
@with_hold
def extend(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    """Keep the time two minutes longer; what was typed so far is kept with it."""
    if "reason" in request.POST:
        _remember(request, hold)
    try:
        hold = extend_hold(hold, now=now)
    except HoldExpired:
        messages.warning(request, _("This time cannot be kept any longer."))
    else:
        until = clock(hold.expires_at.astimezone(hold.clinic.zone))
        messages.success(request, _("We keep your time until %(until)s.") % {"until": until})
    back_to = request.GET.get("to")
    return redirect(f"portal:{back_to if back_to in PAGES else 'details'}", pk=hold.pk)


@page(audience=Audience.PUBLIC, methods=("POST",), phi=True)
@with_hold
def again(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    """Keep another time, or the same one again, with all that was typed."""
    form = SlotForm(request.POST)
    if not form.is_valid():
        return redirect("portal:details", pk=hold.pk)
    start, provider_id = form.cleaned_data["slot"]
    provider = get_object_or_404(offered_providers(hold.clinic), pk=provider_id)
    wish = wish_of_hold(hold)
    try:
        kept = keep_time(request, wish, provider, start, instead_of=hold, now=now)
    except SchedulingError as refusal:
        return _refuse(request, hold, refusal, now)
    return redirect("portal:check", pk=kept.pk)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
@with_hold
def check(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    """Show all answers; a POST books for who is known, and sends a code to who is not."""
    form = details_form(hold, Draft.load(hold.draft).typed)
    if not form.is_valid():
        return redirect("portal:details", pk=hold.pk)
    if request.method == "POST":
        return _go_on(request, hold, form, now)
    if hold.expires_at <= now:
        return show_ended(request, hold, now)
    return _show_check(request, hold, form, now)


def _show_check(
    request: PortalRequest, hold: SlotHold, form: ReasonForm, now: datetime, *, error: str = ""
) -> HttpResponse:
    context = {
        **held_context(hold, now, page="check"),
        "rows": answers(hold, form, wish_of_hold(hold)),
        "email": "" if hold.patient else form.cleaned_data["email"],
        "error": error,
        "step": 6,
    }
    return answer(request, "check", context, status=429 if error else 200)


def _go_on(request: PortalRequest, hold: SlotHold, form: ReasonForm, now: datetime) -> HttpResponse:
    if hold.patient is not None:
        return _book(request, hold, form, now)
    try:
        hold = checkout.keep_again(hold, by=actor_of(request), now=now)
        email = form.cleaned_data["email"]
        checkout.ask_for_code(hold, email=email, network=network_of(request), now=now)
    except SchedulingError as refusal:
        return _refuse(request, hold, refusal, now)
    except TooManyRequests as error:
        return _show_check(request, hold, form, now, error=str(error))
    return redirect("portal:code", pk=hold.pk)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
@with_hold
def code(request: PortalRequest, hold: SlotHold, now: datetime) -> HttpResponse:
    """Take the code that proves the address, and book."""
    details = details_form(hold, Draft.load(hold.draft).typed)
    if is_record(hold) or not details.is_valid():
        return redirect("portal:check", pk=hold.pk)
    if request.method == "GET":
        if hold.expires_at <= now:
            return show_ended(request, hold, now)
        return _show_code(request, hold, CodeForm(), cast(DetailsForm, details), now)
    return _take_code(request, hold, cast(DetailsForm, details), now)


def _take_code(
    request: PortalRequest, hold: SlotHold, details: DetailsForm, now: datetime
) -> HttpResponse:
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            typed = form.cleaned_data["code"]
            proved = checkout.prove(hold, code=typed, details=details.details(), now=now)
        except CodeRefused as refusal:
            form.add_error("code", str(refusal))
        except HoldExpired:
            return redirect("portal:details", pk=hold.pk)
        else:
            return _book(request, proved, details, now)
    return _show_code(request, hold, form, details, now)


def _show_code(
    request: PortalRequest, hold: SlotHold, form: CodeForm, details: DetailsForm, now: datetime
) -> HttpResponse:
    context = {
        **held_context(hold, now, page="code"),
        "form": form,
        "email": details.cleaned_data["email"],
        "step": 7,
    }
    return answer(request, "code", context)


def _book(
    request: PortalRequest, hold: SlotHold, details: ReasonForm, now: datetime
) -> HttpResponse:
    reason = details.cleaned_data["reason"]
    try:
        visit = checkout.finish(hold, reason=reason, by=actor_of(request), now=now)
    except SchedulingError as refusal:
        return _refuse(request, hold, refusal, now)
    if visit.created_at == now:  # not for the second of two equal requests
        links.grant(request.session, visit, now=now)
    return redirect("portal:booked", pk=hold.pk)


def _refuse(
    request: PortalRequest, hold: SlotHold, refusal: SchedulingError, now: datetime
) -> HttpResponse:
    return refuse(
        request,
        wish_of_hold(hold),
        hold.provider,
        hold.visit_start,
        refusal,
        post_to=reverse("portal:again", args=[hold.pk]),
        details_kept=True,
        now=now,
    )


@page(audience=Audience.PUBLIC, phi=True)
def booked(request: PortalRequest, pk: UUID) -> HttpResponse:
    """Say what was booked and what happens next, to the browser that booked it."""
    browser = known_browser(request)
    now = timezone.now()
    visit = checkout.booked_from(pk, browser=browser, now=now) if browser else None
    if visit is None or not links.reaches(request, visit, now=now):
        raise Http404
    request.clinic = visit.clinic
    context = {
        "visit": visit,
        "moment": unbroken(visit.local_start),
        "hours": hours(visit),
        "place": place(visit),
        "kind": visit_name(visit.appointment_type),
        "email": visit.patient.email,
        "cutoff": visit.clinic.patient_cutoff_hours,
    }
    return answer(request, "booked", context)
