"""Letting a patient wait, from the desk: who it is, what they would take, what is free already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import Clinic
from scheduling.desk_words import birth, when_words
from scheduling.errors import SchedulingError
from scheduling.finding import find_patients
from scheduling.forms.desk_waitlist import FirstGuessForm, ReplacesForm, WishForm
from scheduling.forms.find import BannerForm, FinderForm
from scheduling.gap_words import refused
from scheduling.models import Appointment, WaitlistEntry
from scheduling.transitions import Status
from scheduling.views.desk_find import answer_context
from scheduling.views.desk_holds import held_for_caller
from scheduling.views.desk_pages import at_desk, own_visits
from scheduling.views.desk_waitlist import free_rows
from scheduling.waitlist import entries

CONFLICT, UNPROCESSABLE = 409, 422
FINDER = "wait-finder"
TO_COME = [Status.SCHEDULED, Status.CONFIRMED]
KNOWN = ("type", "provider", "specialty", "day", "part", "not_on", "video")


@dataclass(frozen=True, slots=True)
class Joining:
    """Who is to wait at which clinic, and the visit that a sooner one would replace."""

    patient: Patient
    clinic: Clinic
    replaces: Appointment | None


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def waitlist_find(request: StaffRequest) -> HttpResponse:
    """Ask who is to wait; each match leads on to what they would take, with what is known."""
    asked = BannerForm(request.GET)
    chosen = asked.cleaned_data["patient"] if asked.is_valid() else None
    if chosen:
        return redirect(_join_address(chosen, request))
    form, now = FinderForm(request.POST or None), timezone.now()
    onwards = f"{reverse('desk:waitlist_find')}?{_known(request)}"
    context: dict[str, Any] = {
        "finder": FINDER,
        "address": onwards,
        "new_href": f"{reverse('desk:patient_new')}?{urlencode({'next': onwards})}",
        "nav_current": "gaps",
    }
    status = UNPROCESSABLE if form.is_bound and not form.is_valid() else 200
    if form.is_valid():
        context |= _matches(request, form.cleaned_data["q"], now=now)
    if request.htmx and request.htmx.trigger == FINDER:
        return render(request, "components/finder_results.html", context, status=status)
    return render(request, "desk/waitlist_find.html", context, status=status)


def _matches(request: StaffRequest, text: str, *, now: datetime) -> dict[str, Any]:
    answer = find_patients(text, clinics=request.clinics, user=request.user, now=now)
    shown = answer_context(answer, request, now)
    for row, found in zip(shown["results"], answer.found, strict=True):
        row["href"] = _join_address(found.patient.pk, request)
    return {"value": text, **shown}


def _known(request: StaffRequest) -> str:
    """Return what the address says of the wish, as an address says it; ids only, no PHI."""
    known = {name: request.GET.getlist(name) for name in KNOWN if request.GET.getlist(name)}
    return urlencode(known, doseq=True)


def _join_address(patient: UUID, request: StaffRequest) -> str:
    return f"{reverse('desk:waitlist_join', args=[patient])}?{_known(request)}".rstrip("?")


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def waitlist_join(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask what a patient would take, then let them wait; `step=look` shows what is free now."""
    joining, now = _joining(request, pk), timezone.now()
    today = now.astimezone(joining.clinic.zone).date()
    if request.method == "GET":
        initial = FirstGuessForm(request.GET).first_answers(visit=joining.replaces, today=today)
        form = WishForm(initial=initial, clinic=joining.clinic, today=today)
        return _ask(request, joining, form, now=now)
    form = WishForm(request.POST, clinic=joining.clinic, today=today)
    if not form.is_valid():
        return _ask(request, joining, form, now=now, status=UNPROCESSABLE)
    if request.POST.get("step") == "look":
        wish = form.wish(replaces=joining.replaces)
        free = free_rows(wish, joining, now=now)
        return _ask(request, joining, form, now=now, looked=True, free=free)
    return _join(request, joining, form, now=now)


def _join(
    request: StaffRequest, joining: Joining, form: WishForm, *, now: datetime
) -> HttpResponse:
    try:
        entry, is_new = entries.join(
            patient=joining.patient,
            clinic=joining.clinic,
            wish=form.wish(replaces=joining.replaces),
            source=WaitlistEntry.Source.DESK,
            by=at_desk(request),
            now=now,
        )
    except SchedulingError as refusal:
        return _ask(request, joining, form, problem=refused(refusal), now=now, status=CONFLICT)
    name = joining.patient.full_name
    said = (
        _("%(name)s is on the waitlist.")
        if is_new
        else _("%(name)s waited for this already. The place is kept, the wishes are new.")
    )
    messages.success(request, said % {"name": name})
    return redirect("desk:waitlist_entry", entry.pk)


def _joining(request: StaffRequest, pk: UUID) -> Joining:
    """Return who it is about, as far as this user may know them; raises Http404."""
    known = Patient.objects.visible_to(request.user).filter(clinic__in=request.clinics)
    patient = get_object_or_404(known.filter(merged_into=None), pk=pk)
    to_come = own_visits(request).filter(
        patient=patient, status__in=TO_COME, scheduled_start__gt=timezone.now()
    )
    form = ReplacesForm(request.GET, visits=to_come)
    if not form.is_valid():
        raise Http404
    visit = form.cleaned_data["replaces"]
    return Joining(patient, visit.clinic if visit else request.clinic, visit)


def _ask(
    request: StaffRequest,
    joining: Joining,
    form: WishForm,
    *,
    now: datetime,
    problem: str = "",
    status: int = 200,
    **looked: Any,
) -> HttpResponse:
    """Show the form, for the first time or with what was typed and found."""
    visit, patient = joining.replaces, joining.patient
    context = {
        **looked,
        "form": form,
        "patient": patient,
        "clinic": joining.clinic,
        "born": birth(patient, today=now.astimezone(joining.clinic.zone).date()),
        "sooner_than": when_words(visit.scheduled_start, visit.clinic.zone) if visit else "",
        "problem": problem,
        "nav_current": "gaps",
        "hold": held_for_caller(request, now=now),
    }
    return render(request, "desk/waitlist_join.html", context, status=status)
