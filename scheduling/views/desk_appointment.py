"""A visit in the side panel: who, when, its history, and what the desk does with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from patients.privacy.access import may
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling import booking
from scheduling.desk_acts import ACTS, OPEN, done_words, offers
from scheduling.desk_words import history, length_words, visit_rows, when_words
from scheduling.errors import SchedulingError, Stale
from scheduling.forms.desk_appointment import CancelForm, SeenForm
from scheduling.models import Appointment
from scheduling.openings import interval_of, open_ones
from scheduling.presenters import status_tag
from scheduling.refusal_words import in_words
from scheduling.transitions import Status
from scheduling.views.desk_pages import at_desk, board_address, panel, visit_or_404

BAD_REQUEST, CONFLICT = 400, 409


@page(audience=Audience.DESK, permission="view_appointments", phi=True)
def appointment(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a visit, with the acts that are open to the desk now."""
    return show(request, visit_or_404(request, pk), now=timezone.now())


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def act(request: StaffRequest, pk: UUID, name: str) -> HttpResponse:
    """Do one act of one click; 409 and the visit as it is now where it is refused."""
    if name not in ACTS:
        raise Http404
    now = timezone.now()
    verb = ACTS[name].verb
    return change(
        request,
        visit_or_404(request, pk),
        SeenForm(request.POST),
        lambda visit: verb(appointment=visit, by=at_desk(request), now=now),
        say=lambda visit: done_words(name, visit),
        now=now,
    )


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def cancel(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask for the reason of a cancellation, then cancel; it can be undone for ten minutes."""
    visit, now = visit_or_404(request, pk), timezone.now()
    if request.method == "GET":
        return _ask_why(request, visit, CancelForm(initial={"version": visit.version}))
    form = CancelForm(request.POST)
    if not form.is_valid() and "reason" in form.errors:
        return _ask_why(request, visit, form, status=422)

    def write(seen: Appointment) -> Appointment:
        reason = form.cleaned_data["reason"]
        return booking.cancel(appointment=seen, reason=reason, by=at_desk(request), now=now)

    said = _("The visit is cancelled.")
    return change(request, visit, form, write, say=lambda _visit: said, now=now)


def change(
    request: StaffRequest,
    visit: Appointment,
    form: SeenForm,
    write: Callable[[Appointment], Appointment],
    *,
    say: Callable[[Appointment], str],
    now: datetime,
) -> HttpResponse:
    """Change a visit that is still as the form's page showed it, and lead back to it."""
    if not form.is_valid():
        return show(request, visit, now=now, problem=str(Stale()), status=BAD_REQUEST)
    try:
        if form.cleaned_data["version"] != visit.version:
            raise Stale
        done = write(visit)
    except SchedulingError as refusal:
        current = visit_or_404(request, visit.pk)
        return show(request, current, now=now, problem=in_words(refusal), status=CONFLICT)
    messages.success(request, say(done))
    return redirect("desk:appointment", visit.pk)


def show(
    request: StaffRequest,
    visit: Appointment,
    *,
    now: datetime,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render the panel of a visit, with what was refused where something was."""
    events = visit.events.select_related("by_user")
    context = {
        "visit": visit,
        "tab": _("Visit"),
        "entry_id": f"visit-{visit.pk}",
        "tag": status_tag(visit),
        "rows": visit_rows(visit, with_reason=_knows_why(request, visit), now=now),
        "offers": offers(visit, now=now),
        "history": history(events, visit.zone),
        "problem": problem,
        "patient_href": reverse("desk:patient", args=[visit.patient_id]),
        "gap_href": _gap_address(visit, now=now),
        "wants_earlier_href": _sooner_address(visit, now=now),
    }
    return panel(
        request,
        "desk/appointment_panel.html",
        context,
        title=visit.patient.full_name,
        subtitle=subtitle(visit),
        back=board_address(visit.local_start.date(), entry=f"visit-{visit.pk}"),
        status=status,
    )


def _gap_address(visit: Appointment, *, now: datetime) -> str:
    """Return where the time that a cancellation freed is offered to the waitlist, while it is."""
    if visit.status != Status.CANCELLED or visit.scheduled_start <= now:
        return ""
    opening = open_ones([visit.provider_id], interval_of(visit.busy)).first()
    return reverse("desk:gap", args=[opening.pk]) if opening else ""


def _sooner_address(visit: Appointment, *, now: datetime) -> str:
    """Return where its patient is let wait for an earlier time, while there can be one."""
    if visit.status not in OPEN or visit.scheduled_start <= now:
        return ""
    join = reverse("desk:waitlist_join", args=[visit.patient_id])
    return f"{join}?{urlencode({'replaces': str(visit.pk)})}"


def _knows_why(request: StaffRequest, visit: Appointment) -> bool:
    return may(request.user, "view_reasons", at=visit.clinic)


def subtitle(visit: Appointment) -> str:
    return f"{length_words(visit)} · {when_words(visit.scheduled_start, visit.zone)}"


def _ask_why(
    request: StaffRequest, visit: Appointment, form: CancelForm, *, status: int = 200
) -> HttpResponse:
    return panel(
        request,
        "desk/cancel_panel.html",
        {"visit": visit, "form": form, "entry_id": f"visit-{visit.pk}"},
        title=_("Cancel this visit?"),
        subtitle=f"{visit.patient.full_name} · {subtitle(visit)}",
        back=reverse("desk:appointment", args=[visit.pk]),
        status=status,
    )
