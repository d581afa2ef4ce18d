"""Freed time at the desk: the list of gaps, and one gap with those who could fill it."""

from __future__ import annotations

from datetime import datetime, time
from itertools import groupby
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.gap_words import span_words
from scheduling.models import Opening
from scheduling.views.desk_gap_rows import gap_context, gap_row
from scheduling.views.desk_holds import held_for_caller
from scheduling.views.desk_pages import board_address, panel
from scheduling.waitlist.listing import ended_gaps, open_gaps, openings_of

NO_CONTENT = 204


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def gaps(request: StaffRequest) -> HttpResponse:
    """Show the clinic's open gaps, the next first, and those that ended today."""
    now = timezone.now()
    context = _list_context(request, now)
    frame = {"nav_current": "gaps", "hold": held_for_caller(request, now=now)}
    return render(request, "desk/gaps.html", {**context, **frame})


@page(audience=Audience.DESK, permission="manage_appointments", phi=True, passive=True)
def gaps_now(request: StaffRequest) -> HttpResponse:
    """Answer the list's poll: nothing (204) while it is still what `seen` stands for."""
    context = _list_context(request, timezone.now())
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=NO_CONTENT)
    return render(request, "desk/gaps_list.html", context)


def _list_context(request: StaffRequest, now: datetime) -> dict[str, Any]:
    clinic = request.clinic
    midnight = datetime.combine(now.astimezone(clinic.zone).date(), time.min, clinic.zone)
    rows = [gap_row(gap, now=now) for gap in open_gaps(clinic, now=now)]
    ended = [gap_row(gap, now=now) for gap in ended_gaps(clinic, since=midnight)]
    seen = salted_hmac("desk.gaps", repr((rows, ended))).hexdigest()[:16]
    return {
        "days": [(day, list(of_day)) for day, of_day in groupby(rows, itemgetter("day"))],
        "ended": ended,
        "seen": seen,
        "poll_url": f"{reverse('desk:gaps_now')}?{urlencode({'seen': seen})}",
    }


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def gap(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show one gap: who is being asked, who fits in the order of asking, and what can be done."""
    return show(request, gap_or_404(request, pk), now=timezone.now())


@page(audience=Audience.DESK, permission="manage_appointments", phi=True, passive=True)
def gap_now(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Answer a gap's poll: nothing (204) while it is still what `seen` stands for."""
    in_panel = "panel" in request.GET
    context = gap_context(gap_or_404(request, pk), in_panel=in_panel, now=timezone.now())
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=NO_CONTENT)
    return render(request, "desk/gap_body.html", context)


def gap_or_404(request: StaffRequest, pk: UUID) -> Opening:
    """Return freed time of a clinic where this member of staff is at the desk."""
    return get_object_or_404(openings_of(request.clinics), pk=pk)


def show(
    request: StaffRequest, opening: Opening, *, now: datetime, problem: str = "", status: int = 200
) -> HttpResponse:
    """Render a gap, in the side panel where htmx asks, with what was refused where it was."""
    context = gap_context(opening, in_panel=bool(request.htmx), now=now)
    day = opening.span.lower.astimezone(opening.clinic.zone).date()
    context |= {"problem": problem, "nav_current": "gaps", "board_href": board_address(day)}
    if not request.htmx:
        return render(request, "desk/gap.html", context, status=status)
    return panel(
        request,
        "desk/gap_body.html",
        context,
        title=_("Fill this gap"),
        subtitle=f"{span_words(opening, opening.clinic.zone)} · {opening.provider.name}",
        back=reverse("desk:gaps"),
        status=status,
    )
