"""Quick book as it is shown: the finder while nobody is chosen, then the form and its ways on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patients.privacy.pages import StaffRequest
from providers.models import VisitType
from scheduling.availability import FreeSlot, Place
from scheduling.desk_words import birth, when_words
from scheduling.finding import find_patients
from scheduling.forms.desk_book import BookForm, RepeatForm
from scheduling.forms.desk_place import Asked
from scheduling.forms.fields import slot_value
from scheduling.forms.find import FinderForm
from scheduling.models import Appointment
from scheduling.presenters import clock, long_date, minutes_in_words
from scheduling.views.desk_find import answer_context
from scheduling.views.desk_pages import board_address, new_key, panel

CONFLICT, UNPROCESSABLE = 409, 422
FINDER = "book-finder"


def find_patient(request: StaffRequest, asked: Asked, *, now: datetime) -> HttpResponse:
    """Ask for whom it is; what is typed is posted, and each match leads on by its id."""
    form = FinderForm(request.POST if request.method == "POST" else None)
    onwards = urlencode({"next": asked.address()})
    context: dict[str, Any] = {
        "finder": FINDER,
        "address": asked.address(),
        "new_href": f"{reverse('desk:patient_new')}?{onwards}",
        "gap_cell": _cell(asked, now=now),
    }
    status = UNPROCESSABLE if form.is_bound and not form.is_valid() else 200
    if form.is_valid():
        context |= _matches(request, asked, form.cleaned_data["q"], now=now)
    if request.htmx and request.htmx.trigger == FINDER:
        return render(request, "components/finder_results.html", context, status=status)
    return _panel(request, "desk/book_find.html", asked, context, status=status)


def _cell(asked: Asked, *, now: datetime) -> dict[str, Any]:
    """Return what is posted to offer this time to the waitlist; nothing for one that is kept."""
    if asked.hold is not None or asked.start <= now:
        return {}
    start = asked.start.isoformat()
    return {"provider": asked.provider.pk, "start": start, "clinic": asked.clinic.pk}


def _matches(request: StaffRequest, asked: Asked, text: str, *, now: datetime) -> dict[str, Any]:
    answer = find_patients(text, clinics=request.clinics, user=request.user, now=now)
    shown = answer_context(answer, request, now)
    for row, found in zip(shown["results"], answer.found, strict=True):
        row["href"] = replace(asked, patient=found.patient).address()
    return {"value": text, **shown}


def ask(
    request: StaffRequest,
    asked: Asked,
    form: BookForm,
    *,
    now: datetime,
    problem: str = "",
    status: int = 200,
    overbooking: bool = False,
    repeat: RepeatForm | None = None,
    **offered: Any,
) -> HttpResponse:
    """Show the form, for the first time or once more with what was typed."""
    chosen = form["type"].value()
    today = now.astimezone(asked.clinic.zone).date()
    context = {
        **offered,
        "form": form,
        "key": new_key(),
        "kinds": [_kind(kind, chosen) for kind in form.kinds],
        "repeat": repeat or RepeatForm(),
        "patient": asked.whom,
        "born": birth(asked.whom, today=today),
        "address": asked.address(),
        "other_patient": replace(asked, patient=None).address(),
        "time": clock(asked.local_start),
        "provider": asked.provider,
        "problem": problem,
        "overbooking": overbooking or bool(form["overbook"].value()),
    }
    return _panel(request, "desk/book_panel.html", asked, context, status=status)


def _kind(kind: VisitType, chosen: Any) -> dict[str, Any]:
    length = minutes_in_words(kind.minutes) if kind.minutes else ""
    return {"code": kind.code, "label": kind.label, "length": length, "chosen": kind.code == chosen}


def alternative(slot: FreeSlot, asked: Asked, best: Collection[Place]) -> dict[str, Any]:
    """Return a free time as a button: when, with whom where it is somebody else, and its value."""
    when = clock(slot.local_start)
    same_day = slot.local_start.date() == asked.local_start.date()
    return {
        "value": slot_value(provider=slot.provider.pk, start=slot.start),
        "when": when if same_day else f"{long_date(slot.local_start)}, {when}",
        "name": slot.provider.name if slot.provider != asked.provider else "",
        "is_best": slot.place in best,
    }


def booked_words(booked: Appointment) -> str:
    return _("Booked: %(name)s, %(when)s, %(provider)s.") % {
        "name": booked.patient.full_name,
        "when": when_words(booked.scheduled_start, booked.clinic.zone),
        "provider": booked.provider.name,
    }


def after_booking(request: StaffRequest, booked: Appointment) -> HttpResponse:
    """Lead to the visit in the side panel, or to its place on the board."""
    if request.htmx:
        return redirect("desk:appointment", booked.pk)
    return redirect(board_address(booked.local_start.date(), entry=f"visit-{booked.pk}"))


def _panel(
    request: StaffRequest, body: str, asked: Asked, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    return panel(
        request,
        body,
        context,
        title=_("Book %(time)s") % {"time": clock(asked.local_start)},
        subtitle=f"{long_date(asked.local_start)} · {asked.provider.name}",
        back=board_address(asked.local_start.date()),
        status=status,
    )
