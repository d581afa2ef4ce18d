"""Patients look after a visit that they have: see it, confirm it, cancel it, keep it."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from patients.models import Patient
from patients.privacy.pages import Audience, PageRequest, page
from patients.throttle import TooManyRequests
from patients.visitors import network_of
from scheduling import booking, links
from scheduling.calendar_files import calendar_file
from scheduling.errors import SchedulingError, Stale
from scheduling.forms.portal_manage import CancelForm, ConfirmForm, LostLinkForm
from scheduling.models import Appointment
from scheduling.standing import standing_of
from scheduling.views.portal_visit import (
    COMING,
    actor_of,
    open_link,
    row_of,
    show,
    show_standing,
    visit_page,
)

MOST_PAST = 50


@page(audience=Audience.PUBLIC, phi=True)
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Take a link's token out of the address, and go on to its visit."""
    return open_link(request, token, to="portal:manage")


@visit_page()
def manage(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Show one visit, and what its patient may still do with it."""
    return show_standing(request, visit, now)


@visit_page(methods=("POST",))
def confirm(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Say that the patient will come, at the time that was shown and no other (409)."""
    form = ConfirmForm(request.POST)
    try:
        if not form.is_valid() or form.cleaned_data["sequence"] != visit.sequence:
            raise Stale
        booking.confirm(appointment=visit, by=actor_of(request, visit), now=now)
    except SchedulingError as refusal:
        return show_standing(request, visit, now, refusal=refusal)
    return redirect("portal:manage", pk=visit.pk)


@visit_page(methods=("GET", "POST"))
def cancel(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Ask once more, then cancel."""
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        if not standing_of(visit, now=now).can_change:
            return redirect("portal:manage", pk=visit.pk)
        return show(request, "appointment_cancel", visit, form=form)
    if not form.is_valid():
        return show(request, "appointment_cancel", visit, status=422, form=form)
    by, reason = actor_of(request, visit), form.cleaned_data["reason"]
    try:
        booking.cancel(appointment=visit, reason=reason, by=by, now=now)
    except SchedulingError as refusal:
        return show_standing(request, visit, now, refusal=refusal)
    return redirect("portal:manage", pk=visit.pk)


@visit_page()
def calendar(request: PageRequest, visit: Appointment, now: datetime) -> HttpResponse:
    """Hand out the visit as a file for the patient's own calendar."""
    return HttpResponse(
        calendar_file(visit, now=now),
        content_type="text/calendar; charset=utf-8; method=PUBLISH",
        headers={"Content-Disposition": 'attachment; filename="appointment.ics"'},
    )


@page(audience=Audience.PATIENT, phi=True)
def appointments(request: PageRequest) -> HttpResponse:
    """List the visits of every record that this account opens: to come, then past."""
    now = timezone.now()
    own = Appointment.objects.filter(patient__user=request.user.pk).select_related(*links.RELATED)
    coming = list(own.filter(status__in=COMING, scheduled_end__gt=now).order_by("scheduled_start"))
    past = own.exclude(pk__in=[visit.pk for visit in coming]).order_by("-scheduled_start")
    several = Patient.objects.filter(user=request.user.pk).count() > 1
    context = {
        "coming": [row_of(visit, named=several, year_now=now.year) for visit in coming],
        "past": [row_of(visit, named=several, year_now=now.year) for visit in past[:MOST_PAST]],
    }
    return render(request, "portal/appointments.html", context)


@page(audience=Audience.PUBLIC, methods=("GET", "POST"), phi=True)
def lost_link(request: HttpRequest) -> HttpResponse:
    """Have a new link sent to the contact on file; the answer is the same either way."""
    form = LostLinkForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return render(request, "portal/lost_link.html", {"form": form})
    if not form.is_valid():
        return render(request, "portal/lost_link.html", {"form": form}, status=422)
    try:
        links.ask_for_link(**form.cleaned_data, network=network_of(request))
    except TooManyRequests as refusal:
        form.add_error(None, str(refusal))
        return render(request, "portal/lost_link.html", {"form": form}, status=429)
    return redirect("portal:lost_link_sent")


@page(audience=Audience.PUBLIC)
def lost_link_sent(request: HttpRequest) -> HttpResponse:
    """Say what happens now, whether or not reference and address belong together."""
    return render(request, "portal/lost_link_sent.html")
