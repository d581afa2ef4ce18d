"""The desk's call list: whom to call, what to say, and what came of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from providers.fields import new_id
from reminders import call_sheets, calls, waiting
from reminders.forms.desk import CallForm, ReasonForm
from reminders.kinds import CallReason
from reminders.models import CallAttempt, CallItem
from reminders.words import CALL_REASONS, call_reason_words
from scheduling import booking
from scheduling.desk_words import birth, length_words, when_words
from scheduling.errors import SchedulingError, Stale
from scheduling.models import Appointment
from scheduling.refusal_words import in_words
from scheduling.views.desk_pages import at_desk, own_visits, visit_or_404

ON_A_PAGE = 25
CONFLICT, UNPROCESSABLE = 409, 422
Outcome = CallAttempt.Outcome
# Where a call leads when the patient wants something else than to come.
ONWARDS = {Outcome.WANTS_CHANGE: "desk:move", Outcome.CANCELS: "desk:cancel"}
SPOKEN = {Outcome.CONFIRMED, Outcome.WANTS_CHANGE, Outcome.CANCELS}


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def call_list(request: StaffRequest) -> HttpResponse:
    """Show the visits to call about, the soonest first, and the times that were freed."""
    form, now = ReasonForm(request.GET), timezone.now()
    if not form.is_valid():
        raise Http404
    chosen = form.cleaned_data["reason"]
    reason = CallReason(chosen) if chosen else None
    items = call_sheets.open_items(request.user, request.clinics, now=now)
    visits = own_visits(request)
    found = call_sheets.visits_to_call(visits, items, reason=reason)
    shown = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    freed = call_sheets.freed(visits, now=now)[: call_sheets.FREED_SHOWN]
    context = {
        "rows": [call_sheets.row(visit) for visit in shown],
        "filters": _filters(call_sheets.counts(items), reason, visits=shown.paginator.count),
        "freed": [(visit, when_words(visit.scheduled_start, visit.zone)) for visit in freed],
        "several_clinics": len(request.clinics) > 1,
        "nav_current": "calls",
        **_ways(shown, chosen),
    }
    return render(request, "desk/messages/calls.html", context)


def _filters(
    counts: dict[str, int], chosen: CallReason | None, *, visits: int
) -> list[dict[str, Any]]:
    """Return one link for each reason that anybody is called for, and one for all."""
    here = reverse("messages:calls")
    named = [
        {
            "label": call_reason_words(reason),
            "count": counts.get(reason.value, 0),
            "href": f"{here}?{urlencode({'reason': reason.value})}",
            "current": reason is chosen,
        }
        for reason in CALL_REASONS
        if reason.value in counts or reason is chosen
    ]
    if not named:
        return []
    all_count = visits if chosen is None else None
    every = {"label": _("All"), "count": all_count, "href": here, "current": chosen is None}
    return [every, *named]


def _ways(shown: Page[Any], reason: str) -> dict[str, str]:
    """Return where the pages before and after this one are."""
    kept = {"reason": reason} if reason else {}
    earlier = shown.number - 1 if shown.has_previous() else 0
    later = shown.number + 1 if shown.has_next() else 0
    return {
        "earlier_href": f"?{urlencode(kept | {'page': earlier})}" if earlier else "",
        "later_href": f"?{urlencode(kept | {'page': later})}" if later else "",
    }


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def call(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show what to say, then write down what came of the call and lead on."""
    visit, now = visit_or_404(request, pk), timezone.now()
    if request.method == "GET":
        return _sheet(request, visit, now=now)
    form = CallForm(request.POST)
    if not form.is_valid():
        return _sheet(request, visit, form=form, now=now, status=UNPROCESSABLE)
    item = _open_item(request, visit, now)
    if item is None:
        return _sheet(request, visit, problem=_not_listed(), now=now, status=CONFLICT)
    outcome = Outcome(form.cleaned_data["outcome"])
    try:
        if outcome is Outcome.CONFIRMED:
            _confirm(request, visit, form, now=now)
    except SchedulingError as refusal:
        current = visit_or_404(request, pk)
        return _sheet(request, current, problem=in_words(refusal), now=now, status=CONFLICT)
    calls.log_attempt(
        pk=form.cleaned_data["attempt"],
        item=item,
        outcome=outcome,
        note=form.cleaned_data["note"],
        by_user=request.user.pk,
        now=now,
    )
    waiting.forget()
    if outcome in ONWARDS:
        return redirect(ONWARDS[outcome], visit.pk)
    messages.success(request, _done_words(outcome, visit))
    return redirect("messages:calls")


def _not_listed() -> str:
    return _("This visit is not on the list any more.")


def _confirm(request: StaffRequest, visit: Appointment, form: CallForm, *, now: datetime) -> None:
    """Confirm the visit that the page showed, and take it off the list for every reason."""
    if form.cleaned_data["version"] != visit.version:
        raise Stale
    confirmed = booking.confirm(appointment=visit, by=at_desk(request), now=now)
    # A visit that was confirmed before changes nothing that anybody would hear of.
    calls.close_calls(appointment=confirmed, result=CallItem.Result.CONFIRMED, now=now)


def _done_words(outcome: CallAttempt.Outcome, visit: Appointment) -> str:
    name = visit.patient.full_name
    if outcome is Outcome.CONFIRMED:
        return _("%(name)s will come. The visit is confirmed.") % {"name": name}
    return _("Noted for %(name)s: %(outcome)s.") % {
        "name": name,
        "outcome": str(outcome.label).lower(),
    }


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def call_done(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Take a visit off the list, although nothing about it changed."""
    visit, now = visit_or_404(request, pk), timezone.now()
    item = _open_item(request, visit, now)
    if item is not None:
        spoken = CallAttempt.objects.filter(
            item__appointment=visit, outcome__in=[outcome.value for outcome in SPOKEN]
        ).exists()
        told = spoken or not call_sheets.is_to_come(visit)
        result = CallItem.Result.REACHED if told else CallItem.Result.NOT_REACHED
        calls.close_calls(appointment=visit, result=result, now=now)
        waiting.forget()
        words = _("%(name)s is off the call list.") % {"name": visit.patient.full_name}
        messages.success(request, words)
    return redirect("messages:calls")


def _open_item(request: StaffRequest, visit: Appointment, now: datetime) -> CallItem | None:
    items = call_sheets.open_items(request.user, request.clinics, now=now)
    return items.filter(appointment=visit).order_by("opened_at", "pk").first()


def _sheet(
    request: StaffRequest,
    visit: Appointment,
    *,
    now: datetime,
    form: CallForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    items = call_sheets.open_items(request.user, request.clinics, now=now)
    reasons = list(items.filter(appointment=visit).values_list("reason", flat=True))
    context = {
        "visit": visit,
        "form": form or CallForm(initial={"version": visit.version, "attempt": new_id()}),
        "reasons": [call_reason_words(reason) for reason in reasons],
        "needs_interpreter": visit.patient.needs_interpreter,
        "is_to_come": call_sheets.is_to_come(visit),
        "when": when_words(visit.scheduled_start, visit.zone),
        "length": length_words(visit),
        "born": birth(visit.patient, today=now.astimezone(visit.zone).date()),
        "earlier": call_sheets.earlier_calls(visit),
        "problem": problem,
        "nav_current": "calls",
    }
    return render(request, "desk/messages/call.html", context, status=status)
