"""The messages of one visit: what went, what is to come and why not, and sending it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.access import may
from patients.privacy.pages import Audience, StaffRequest, page
from reminders import resending
from reminders.forms.desk import ResendForm
from reminders.kinds import Channel, Why
from reminders.resending import JustSent, NotResent, resend
from reminders.timeline import messages_of, why_nothing
from reminders.words import channel_words, why_words
from scheduling.models import Appointment
from scheduling.presenters import clock
from scheduling.views.desk_appointment import subtitle
from scheduling.views.desk_pages import new_key, panel, visit_or_404

CONFLICT, BAD_REQUEST = 409, 400


@page(audience=Audience.DESK, permission="view_appointments", phi=True)
def visit_messages(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show every message about a visit, and by which ways its patient can be told again."""
    return _show(request, visit_or_404(request, pk))


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def resend_message(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Have the patient told again; asks first where something went just now."""
    visit, form = visit_or_404(request, pk), ResendForm(request.POST)
    if not form.is_valid():
        return _show(request, visit, problem=_("Please try again."), status=BAD_REQUEST)
    told = form.cleaned_data
    try:
        resend(
            appointment=visit,
            channel=Channel(told["channel"]),
            key=told["key"],
            anyway=told["anyway"],
            by_user=request.user.pk,
            now=timezone.now(),
        )
    except NotResent as refusal:
        return _show(request, visit, problem=_refused(refusal.why), status=CONFLICT)
    except JustSent as just:
        return _show(request, visit, asked=told, just=just, status=CONFLICT)
    messages.success(
        request, _("It is on its way to %(name)s.") % {"name": visit.patient.given_name}
    )
    return redirect("messages:visit", visit.pk)


def _refused(why: Why) -> str:
    return _("Nothing was sent. %(why)s.") % {"why": why_words(why)}


def _show(
    request: StaffRequest,
    visit: Appointment,
    *,
    problem: str = "",
    asked: dict[str, Any] | None = None,
    just: JustSent | None = None,
    status: int = 200,
) -> HttpResponse:
    entries = messages_of(visit)
    context = {
        "visit": visit,
        "tab": _("Messages"),
        "entry_id": f"visit-{visit.pk}",
        "to_come": [entry for entry in entries if entry.is_to_come][::-1],
        "past": [entry for entry in entries if not entry.is_to_come],
        "why_nothing": why_nothing(entries),
        "ways": _ways(request, visit),
        "key": new_key(),
        "problem": problem,
        "again": asked,
        "just_at": clock(just.at.astimezone(visit.zone)) if just else "",
    }
    return panel(
        request,
        "desk/messages/visit_panel.html",
        context,
        title=_("Messages"),
        subtitle=f"{visit.patient.full_name} · {subtitle(visit)}",
        back=reverse("desk:appointment", args=[visit.pk]),
        status=status,
    )


def _ways(request: StaffRequest, visit: Appointment) -> list[dict[str, str]]:
    """Return the ways by which this visit can be told again, or why one cannot be used."""
    if resending.kind_to_resend(visit, now=timezone.now()) is None:
        return []
    may_send = may(request.user, "manage_appointments", at=visit.clinic)
    return [
        {
            "channel": way.value if may_send and not isinstance(found, Why) else "",
            "label": channel_words(way),
            "why": why_words(found) if isinstance(found, Why) else "",
        }
        for way, found in resending.ways_to(visit).items()
    ]
