"""The provider's own pages: today, the week, a visit, its note and what was done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from patients.sharing import own_ties
from providers.models import Clinic
from scheduling import booking, notes
from scheduling.actors import Actor
from scheduling.errors import SchedulingError, Stale
from scheduling.forms.desk_appointment import SeenForm
from scheduling.forms.provider import NoteForm, WeekForm
from scheduling.models import Appointment, VisitNote
from scheduling.own_visits import OwnVisit, day_list, next_visit, own_visits
from scheduling.own_visits import week as read_week
from scheduling.presenters import clock, event_words
from scheduling.refusal_words import in_words

WEEK = timedelta(days=7)
EARLIER_SHOWN = 5
Verb = Callable[..., Appointment]
ACTS: dict[str, Verb] = {
    "complete": booking.complete,
    "no-show": booking.mark_no_show,
    "undo": booking.undo,
}


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def today(request: StaffRequest) -> HttpResponse:
    """The day's list, with whoever is next on top."""
    now = timezone.now()
    local = now.astimezone(request.clinic.zone)
    visits = day_list(request.user, _clinics(request), local.date(), now=now)
    context = {
        "nav_current": "today",
        "now": now,
        "next": next_visit(visits),
        "visits": visits,
        "left": sum(visit.is_open for visit in visits),
    }
    return render(request, "provider/today.html", context)


def _clinics(request: StaffRequest) -> list[Clinic]:
    """The clinic at hand first: its zone says when a day begins."""
    return [request.clinic, *(clinic for clinic in request.clinics if clinic != request.clinic)]


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def week(request: StaffRequest) -> HttpResponse:
    """Seven days from a Monday on: `?day=` names any day of the week."""
    now = timezone.now()
    this_day = now.astimezone(request.clinic.zone).date()
    monday = WeekForm(request.GET).monday(this_day)
    if monday is None:
        raise Http404
    context = {
        "nav_current": "week",
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "earlier": monday - WEEK,
        "later": monday + WEEK,
        "days": read_week(request.user, _clinics(request), monday, now=now),
    }
    return render(request, "provider/week.html", context)


@page(audience=Audience.PROVIDER, permission="view_own_schedule", phi=True)
def visit(request: StaffRequest, pk: UUID) -> HttpResponse:
    return _show(request, _own(request, pk))


def _own(request: StaffRequest, pk: UUID) -> Appointment:
    """Return the provider's own visit; another's is a 404."""
    return get_object_or_404(own_visits(request.user, request.clinics), pk=pk)


def _show(
    request: StaffRequest,
    appointment: Appointment,
    *,
    refusal: SchedulingError | None = None,
) -> HttpResponse:
    now = timezone.now()
    earlier = (
        own_visits(request.user, request.clinics)
        .filter(patient=appointment.patient_id, scheduled_start__lt=appointment.scheduled_start)
        .order_by("-scheduled_start")[:EARLIER_SHOWN]
    )
    context = {
        "visit": OwnVisit(appointment, now),
        "age": appointment.patient.age_on(now.astimezone(appointment.zone).date()),
        "note": notes.find_note(appointment, by=request.user),
        "events": [(event, event_words(event)) for event in appointment.events.all()],
        "is_own_patient": own_ties(request.user).filter(patient=appointment.patient_id).exists(),
        "earlier": [OwnVisit(row, now) for row in earlier],
        "refusal": refusal and in_words(refusal),
    }
    return render(request, "provider/visit.html", context, status=409 if refusal else 200)


@page(audience=Audience.PROVIDER, permission="manage_own_visits", methods=("POST",), phi=True)
def act(request: StaffRequest, pk: UUID, name: str) -> HttpResponse:
    """Complete a visit, mark a no-show or undo it; then back to where it was done.

    409 where the visit is no longer as the page showed it.
    """
    appointment = _own(request, pk)
    if name not in ACTS:
        raise Http404
    form = SeenForm(request.POST)
    try:
        if not form.is_valid() or form.cleaned_data["version"] != appointment.version:
            raise Stale
        done = ACTS[name](
            appointment=appointment, by=Actor.provider(request.user.pk), now=timezone.now()
        )
    except SchedulingError as refusal:
        return _show(request, _own(request, pk), refusal=refusal)
    messages.success(request, _done(name, done))
    if request.POST.get("back") == "visit":
        return redirect("provider:visit", pk)
    return redirect("provider:today")


def _done(name: str, visit: Appointment) -> str:
    words = {
        "complete": _("%(name)s: completed."),
        "no-show": _("%(name)s: marked as no-show."),
        "undo": _("%(name)s: undone, the visit is open again."),
    }
    said = words[name] % {"name": visit.patient.full_name}
    if visit.undo_until is None:
        return said
    until = _("You can undo this until %(time)s.") % {"time": _clock(visit.undo_until, visit)}
    return f"{said} {until}"


def _clock(when: datetime, visit: Appointment) -> str:
    return clock(when.astimezone(visit.zone))


@page(
    audience=Audience.PROVIDER,
    permission="manage_own_visits",
    methods=("GET", "POST"),
    phi=True,
)
def note(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Write or change the note of an own visit."""
    appointment = _own(request, pk)
    if request.method == "POST":
        return _save_note(request, appointment)
    known = notes.find_note(appointment, by=request.user)
    initial = {"text": known.text if known else "", "seen": notes.stamp(known)}
    return _show_note(request, appointment, NoteForm(initial=initial))


def _save_note(request: StaffRequest, appointment: Appointment) -> HttpResponse:
    """Write what was typed; where the note was changed meanwhile, show both and lose neither."""
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _show_note(request, appointment, form, status=422)
    text, seen = form.cleaned_data["text"], form.cleaned_data["seen"]
    try:
        notes.write_note(appointment=appointment, text=text, seen=seen, by=request.user)
    except Stale:
        newer = notes.find_note(appointment, by=request.user)
        form = NoteForm({"text": text, "seen": notes.stamp(newer)})
        form.add_error("text", _("This note was changed meanwhile. Put both together and save."))
        return _show_note(request, appointment, form, newer=newer, status=409)
    messages.success(request, _("The note is saved."))
    return redirect("provider:visit", appointment.pk)


def _show_note(
    request: StaffRequest,
    appointment: Appointment,
    form: NoteForm,
    *,
    newer: VisitNote | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {"visit": OwnVisit(appointment, timezone.now()), "form": form, "newer": newer}
    return render(request, "provider/note.html", context, status=status)
