"""The next free times across providers and clinics, by what the caller needs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import VisitType
from scheduling.availability import FreeSlot, Query, nearest, search
from scheduling.errors import SchedulingError
from scheduling.forms.find import KeepForm, NextAvailableForm
from scheduling.holds import place_hold
from scheduling.models import SlotHold
from scheduling.placing import place
from scheduling.policies import terms_for
from scheduling.presenters import clock, long_date
from scheduling.refusal_words import in_words
from scheduling.views.desk_holds import held_for_caller, holder_of
from scheduling.views.desk_pages import at_desk

PAGE = 20
MOST = 640


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
        slots, has_more = page_of(request, query, after=form.cleaned_data["after"], now=now)
        context |= {
            "visit_type": query.visit_type,
            "days": by_day(slots, query.visit_type, now=now, patient=context["for_patient"]),
            "later_href": _later(request, slots) if has_more else "",
        }
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


def page_of(
    request: StaffRequest, query: Query, *, after: datetime | None, now: datetime
) -> tuple[list[FreeSlot], bool]:
    """Return free times after an instant, and whether there are more.

    A page ends between two instants, never among providers who are free at the same one, so that
    the next page begins where this one ended.
    """
    terms = terms_for(at_desk(request))
    limit = PAGE
    while True:
        found = search(query, terms=terms, now=now, limit=limit + 1, after=after)
        if len(found) <= limit:
            return found, False
        whole = [slot for slot in found if slot.start < found[-1].start]
        if whole or limit >= MOST:
            return whole or found, True
        limit *= 2


def by_day(
    slots: Iterable[FreeSlot], kind: VisitType, *, now: datetime, patient: Patient | None
) -> list[dict[str, Any]]:
    """Group free times by the clinic's day, as the page's list shows them."""
    found: list[dict[str, Any]] = []
    for _day, group in groupby(slots, key=lambda slot: slot.local_start.date()):
        of_day = list(group)
        label = _day_name(of_day[0].local_start, now)
        found.append({"label": label, "rows": [slot_row(slot, kind, patient) for slot in of_day]})
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


def _later(request: StaffRequest, slots: list[FreeSlot]) -> str:
    return _address(request, after=slots[-1].start.isoformat())


def _address(request: StaffRequest, **extra: str) -> str:
    """Return this page's address with the same constraints, from the first time on or later."""
    kept = request.GET.copy()
    kept.pop("after", None)
    for name, value in extra.items():
        kept[name] = value
    return f"{reverse('desk:next_available')}?{kept.urlencode()}"


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
    slots = nearest(query, to=told["start"], terms=terms_for(at_desk(request)), now=now)
    asked = urlencode({"type": kind.code, "patient": told["patient"] or ""})
    form = NextAvailableForm(QueryDict(asked), clinics=request.clinics)
    form.is_valid()
    context = _frame(request, form, now)
    slots.sort(key=lambda slot: slot.start)
    context |= {
        "visit_type": kind,
        "refusal": in_words(refusal),
        "days": by_day(slots, kind, now=now, patient=context["for_patient"]),
    }
    return render(request, "desk/next_available.html", context, status=409)
