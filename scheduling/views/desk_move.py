"""Moving a visit: the free times of its day or another, its own provider first, then colleagues."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.availability import (
    DayOpenings,
    FreeSlot,
    Place,
    Query,
    best_fits,
    days_with_openings,
    search,
)
from scheduling.availability.changing import Leeway
from scheduling.availability.explaining import explain
from scheduling.change_words import label_for_staff, note_for_staff
from scheduling.desk_acts import offers
from scheduling.desk_words import day_name, when_words
from scheduling.errors import IllegalTransition, SchedulingError, Stale, TooFar, TooSoon
from scheduling.explanation_words import for_staff
from scheduling.forms.desk_board import asked_day
from scheduling.forms.desk_move import MoveForm
from scheduling.forms.fields import slot_value
from scheduling.models import Appointment
from scheduling.placing import Terms
from scheduling.policies import terms_for
from scheduling.presenters import clock
from scheduling.refusal_words import in_words
from scheduling.views.desk_appointment import show, subtitle
from scheduling.views.desk_pages import at_desk, panel, visit_or_404

LOOKED_AHEAD = timedelta(days=120)
DAYS_SHOWN = 6
MOST_TIMES = 500
CONFLICT, UNPROCESSABLE = 409, 422


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def move(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Offer new times for a visit, then move it to the one that is chosen."""
    visit, now = visit_or_404(request, pk), timezone.now()
    if not offers(visit, now=now).can_change:
        refusal = in_words(IllegalTransition("MOVE", visit.status))
        return show(request, visit, now=now, problem=refusal, status=CONFLICT)
    if request.method == "GET":
        return _offer(request, visit, now=now)
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _offer(request, visit, form=form, now=now, status=UNPROCESSABLE)
    return _move(request, visit, form, now=now)


def _move(
    request: StaffRequest, visit: Appointment, form: MoveForm, *, now: datetime
) -> HttpResponse:
    told = form.cleaned_data
    pk, start = told["slot"]
    provider = get_object_or_404(Provider.objects.bookable(), pk=pk)
    try:
        if told["version"] != visit.version:
            raise Stale
        moved = booking.reschedule(
            appointment=visit,
            start=start,
            provider=provider,
            override=told["override"],
            by=at_desk(request),
            now=now,
        )
    except SchedulingError as refusal:
        current = visit_or_404(request, visit.pk)
        return _offer(request, current, form=form, refusal=refusal, now=now, status=CONFLICT)
    messages.success(request, _moved_words(moved))
    return redirect("desk:appointment", moved.pk)


def _moved_words(moved: Appointment) -> str:
    return _("Moved to %(when)s, %(provider)s.") % {
        "when": when_words(moved.scheduled_start, moved.clinic.zone),
        "provider": moved.provider.name,
    }


def _offer(
    request: StaffRequest,
    visit: Appointment,
    *,
    now: datetime,
    form: MoveForm | None = None,
    refusal: SchedulingError | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show a day's free times, and the next days that have some."""
    chosen = form["slot"].value() if form else ""
    context = {
        **_free_times(request, visit, chosen, now=now),
        "visit": visit,
        "tab": _("Move visit"),
        "entry_id": f"visit-{visit.pk}",
        "problem": in_words(refusal) if refusal else "",
        "must_override": isinstance(refusal, TooSoon | TooFar),
        "override": (form or MoveForm())["override"],
        "error": form.errors.get("slot", [""])[0] if form else "",
    }
    return panel(
        request,
        "desk/move_panel.html",
        context,
        title=_("Move %(name)s") % {"name": visit.patient.full_name},
        subtitle=f"{subtitle(visit)} · {visit.provider.name}",
        back=reverse("desk:appointment", args=[visit.pk]),
        status=status,
    )


def _free_times(
    request: StaffRequest, visit: Appointment, chosen: str, *, now: datetime
) -> dict[str, Any]:
    """Return the free times of the day in the address, or of the first one from the visit's on."""
    # Notice and horizon are asked about once such a time is chosen, not hidden beforehand.
    terms = terms_for(at_desk(request), override="asked later")
    today = now.astimezone(visit.zone).date()
    wanted = asked_day(request, otherwise=max(visit.local_start.date(), today))
    search_all = _query(visit, wanted)
    own_days = replace(search_all, provider=visit.provider, specialty=None)
    days = days_with_openings(own_days, terms=terms, now=now, days=DAYS_SHOWN, ignore=visit)
    is_asked = "day" in request.GET
    day = days[0].day if days and not is_asked else wanted
    on_day = replace(search_all, first_day=day, last_day=day)
    slots = search(on_day, terms=terms, now=now, limit=MOST_TIMES, ignore=visit)
    kinds = VisitType.objects.all()
    best = best_fits(slots, query=on_day, kinds=kinds, terms=terms, now=now, ignore=visit)
    has_own = any(slot.provider == visit.provider for slot in slots)
    in_vain = replace(own_days, first_day=day, last_day=day) if days else own_days
    explained = {} if has_own else _why(visit, in_vain, terms, other_days=not days, now=now)
    return {
        **explained,
        "day": day,
        "day_label": day_name(day),
        "address": _address(visit, day),
        "groups": _groups(slots, visit, chosen, best),
        "has_best": bool(best),
        "provider": visit.provider,
        "has_own": has_own,
        "days": [_day_row(opening, visit, day) for opening in days],
    }


def _why(
    visit: Appointment, query: Query, terms: Terms, *, other_days: bool, now: datetime
) -> dict[str, Any]:
    """Return why the own provider has nothing, and rows that lead to days on which somebody has.

    A colleague's day is shown as any other: the page groups its times by provider.
    """
    leeway = Leeway(other_days=other_days)
    found = explain(query, terms=terms, now=now, ignore=visit, leeway=leeway)
    steps = [
        {
            "title": label_for_staff(change, found),
            "detail": note_for_staff(change, found),
            "href": _address(visit, change.slot.local_start.date()),
        }
        for change in found.changes
    ]
    return {"why": for_staff(found), "steps": steps}


def _query(visit: Appointment, first: date) -> Query:
    """Return the search for everybody who could see this patient instead, at the same clinic."""
    return Query(
        visit.appointment_type,
        first,
        first + LOOKED_AHEAD,
        (visit.clinic,),
        specialty=visit.provider.specialty,
    )


def _groups(
    slots: list[FreeSlot], visit: Appointment, chosen: str, best: Collection[Place]
) -> list[dict[str, Any]]:
    """Return the times by provider, the visit's own first, for components/time_choice.html."""

    def rank(slot: FreeSlot) -> tuple[bool, str, datetime]:
        return slot.provider.pk != visit.provider_id, slot.provider.name, slot.start

    by_provider = groupby(sorted(slots, key=rank), key=lambda slot: slot.provider)
    return [
        {"label": provider.name, "times": [_time(slot, chosen, best) for slot in own]}
        for provider, own in by_provider
    ]


def _time(slot: FreeSlot, chosen: str, best: Collection[Place]) -> dict[str, Any]:
    value = slot_value(provider=slot.provider.pk, start=slot.start)
    return {
        "value": value,
        "label": clock(slot.local_start),
        "note": _("Best fit") if slot.place in best else "",
        "checked": value == chosen,
    }


def _day_row(opening: DayOpenings, visit: Appointment, shown: date) -> dict[str, Any]:
    count = ngettext("%(n)d time", "%(n)d times", opening.count) % {"n": opening.count}
    return {
        "href": _address(visit, opening.day),
        "label": day_name(opening.day),
        "count": count,
        "current": opening.day == shown,
    }


def _address(visit: Appointment, day: date) -> str:
    return f"{reverse('desk:move', args=[visit.pk])}?{urlencode({'day': day.isoformat()})}"
