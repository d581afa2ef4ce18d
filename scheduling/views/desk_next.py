"""The next free times across providers and clinics, by what the caller needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import VisitType
from scheduling.availability import FreeSlot, Place, Query, best_fits, nearest, search
from scheduling.errors import SchedulingError
from scheduling.forms.find import KeepForm, NextAvailableForm
from scheduling.holds import place_hold
from scheduling.models import SlotHold
from scheduling.placing import place
from scheduling.policies import terms_for
from scheduling.presenters import clock, long_date
from scheduling.refusal_words import in_words
from scheduling.views.desk_explained import search_params, why_nothing
from scheduling.views.desk_holds import held_for_caller, holder_of
from scheduling.views.desk_pages import at_desk

PAGE = 20


@page(audience=Audience.DESK, permission="view_appointments", phi=True)
def next_available(request: StaffRequest) -> HttpResponse:
    """Answer the caller's constraints with free times, by day; `after` continues a page."""
    now = timezone.now()
    form = NextAvailableForm(request.GET, clinics=request.clinics)
    if not form.is_valid():
        return render(request, "desk/next_available.html", _frame(request, form, now), status=422)
    query = form.query(today=now.astimezone(request.clinic.zone).date())
    context = _frame(request, form, now)
    if query is not None:
        patient = context["for_patient"]
        context |= _page(request, query, form, now=now, patient=patient)
        if not context["days"] and form.cleaned_data["after"] is None:
            known = patient and patient.pk
            context |= why_nothing(request, query, patient=known, now=now)
            context["wait_href"] = _wait_address(query, known)
    return render(request, "desk/next_available.html", context)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def hold_place(request: StaffRequest) -> HttpResponse:
    """Keep a time for the caller; if somebody was faster, show the nearest others (409)."""
    form = KeepForm(request.POST, clinics=request.clinics)
    if not form.is_valid():
        raise Http404
    told = form.cleaned_data
    now = timezone.now()
    try:
        kept = place_hold(
            place(
                provider=told["provider"],
                clinic=told["clinic"],
                visit_type=told["type"],
                start=told["start"],
            ),
            purpose=SlotHold.Purpose.PHONE,
            holder=holder_of(request),
            patient=_patient(request, told["patient"]),
            by=at_desk(request),
            now=now,
        )
    except SchedulingError as refusal:
        return _refused(request, told, refusal, now)
    return redirect("desk:hold", kept.pk)


def _page(
    request: StaffRequest,
    query: Query,
    form: NextAvailableForm,
    *,
    now: datetime,
    patient: Patient | None,
) -> dict[str, Any]:
    """Return a page of free times, from the place in the address on, and the way to the next."""
    terms, after = terms_for(at_desk(request)), form.cleaned_data["after"]
    found = search(query, terms=terms, now=now, limit=PAGE + 1, after=after)
    slots = found[:PAGE]
    best = best_fits(slots, query=query, kinds=form.kinds, terms=terms, now=now)
    is_last = len(found) <= PAGE
    return {
        "visit_type": query.visit_type,
        "days": by_day(slots, query.visit_type, now=now, patient=patient, best=best),
        "has_best": bool(best),
        "later_href": "" if is_last else _address(request, after=str(slots[-1].place)),
    }


def by_day(
    slots: Iterable[FreeSlot],
    kind: VisitType,
    *,
    now: datetime,
    patient: Patient | None,
    best: Collection[Place] = (),
) -> list[dict[str, Any]]:
    """Group free times by the clinic's day, as the page's list shows them."""
    found: list[dict[str, Any]] = []
    for _day, group in groupby(slots, key=lambda slot: slot.local_start.date()):
        of_day = list(group)
        rows = [slot_row(slot, kind, patient) | {"is_best": slot.place in best} for slot in of_day]
        found.append({"label": _day_name(of_day[0].local_start, now), "rows": rows})
    return found


def _day_name(day: datetime, now: datetime) -> str:
    today = now.astimezone(day.tzinfo).date()
    if day.date() == today:
        return _("Today, %(day)s") % {"day": long_date(day)}
    return long_date(day) if day.year == today.year else f"{long_date(day)}, {day.year}"


def slot_row(slot: FreeSlot, kind: VisitType, patient: Patient | None) -> dict[str, Any]:
    """Return a free time in words, with what is posted to keep it and the address to book it."""
    kept = {
        "start": slot.start.isoformat(),
        "provider": slot.provider.pk,
        "clinic": slot.clinic.pk,
        "type": kind.code,
        **({"patient": patient.pk} if patient else {}),
    }
    specialty = slot.provider.specialty
    return {
        "time": clock(slot.local_start),
        "name": slot.provider.name,
        "specialty": specialty.name if specialty else "",
        "clinic": slot.clinic.name,
        "kept": kept,
        "book_href": f"{reverse('desk:book')}?{urlencode(kept)}",
    }


def _frame(request: StaffRequest, form: NextAvailableForm, now: datetime) -> dict[str, Any]:
    return {
        "nav_current": "next",
        "form": form,
        "for_patient": _patient(request, form.cleaned_data.get("patient")),
        "several_clinics": len(request.clinics) > 1,
        "hold": held_for_caller(request, now=now),
        "first_href": _address(request) if "after" in request.GET else "",
    }


def _address(request: StaffRequest, **extra: str) -> str:
    """Return this page's address with the same constraints, from the first time on or later."""
    kept = request.GET.copy()
    kept.pop("after", None)
    for name, value in extra.items():
        kept[name] = value
    return f"{reverse('desk:next_available')}?{kept.urlencode()}"


def _wait_address(query: Query, patient: UUID | None) -> str:
    """Return where somebody is let wait for what was looked for."""
    params = search_params(query)
    if patient is not None:
        return f"{reverse('desk:waitlist_join', args=[patient])}?{urlencode(params, doseq=True)}"
    return f"{reverse('desk:waitlist_find')}?{urlencode(params, doseq=True)}"


def _patient(request: StaffRequest, pk: Any) -> Patient | None:
    if pk is None:
        return None
    known = Patient.objects.visible_to(request.user)
    return get_object_or_404(known, pk=pk, clinic__in=request.clinics)


def _refused(
    request: StaffRequest, told: dict[str, Any], refusal: SchedulingError, now: datetime
) -> HttpResponse:
    clinic, kind = told["clinic"], told["type"]
    day = told["start"].astimezone(clinic.zone).date()
    query = Query(
        visit_type=kind, first_day=day, last_day=day, clinics=(clinic,), provider=told["provider"]
    )
    terms = terms_for(at_desk(request))
    slots = nearest(query, to=told["start"], terms=terms, now=now)
    asked = urlencode({"type": kind.code, "patient": told["patient"] or ""})
    form = NextAvailableForm(QueryDict(asked), clinics=request.clinics)
    form.is_valid()
    context = _frame(request, form, now)
    slots.sort(key=lambda slot: slot.start)
    best = best_fits(slots, query=query, kinds=form.kinds, terms=terms, now=now)
    context |= {
        "visit_type": kind,
        "refusal": in_words(refusal),
        "days": by_day(slots, kind, now=now, patient=context["for_patient"], best=best),
        "has_best": bool(best),
    }
    return render(request, "desk/next_available.html", context, status=409)
