"""How the desk's pages answer: in the side panel where htmx asks, as a page everywhere else."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.crypto import get_random_string

from patients.privacy.pages import StaffRequest
from scheduling.actors import Actor
from scheduling.keys import RequestKey
from scheduling.models import Appointment

KEY_LENGTH = 32


def at_desk(request: StaffRequest) -> Actor:
    """Return who acts: the signed-in member of staff."""
    return Actor.staff(request.user.pk)


def new_key() -> str:
    """Return what a form carries so that sending it twice does its act once."""
    return get_random_string(KEY_LENGTH)


def request_key(request: StaffRequest, key: str) -> RequestKey:
    return RequestKey(f"user:{request.user.pk}", key)


def own_visits(request: StaffRequest) -> QuerySet[Appointment]:
    """Return the visits at the clinics where this member of staff may do what the page declares.

    The reason for the visit is read only where it is named, and the note never.
    """
    return (
        Appointment.objects.visible_to(request.user)
        .filter(clinic__in=request.clinics)
        .select_related("patient", "provider__specialty", "clinic__time_zone", "appointment_type")
        .defer("reason_for_visit")
    )


def visit_or_404(request: StaffRequest, pk: Any) -> Appointment:
    return get_object_or_404(own_visits(request), pk=pk)


def board_address(day: date, *, entry: str = "") -> str:
    """Return the day board's address, at one of its blocks if that is named."""
    query = urlencode({"day": day.isoformat()})
    return f"{reverse('desk:board')}?{query}" + (f"#{entry}" if entry else "")


def panel(
    request: StaffRequest,
    body: str,
    context: dict[str, Any],
    *,
    title: str,
    subtitle: str = "",
    back: str,
    status: int = 200,
) -> HttpResponse:
    """Render `body` in the frame that the asker needs; `back` is where closing leads."""
    frame = "components/side_panel.html"
    shown = {
        **context,
        "body": body,
        "title": title,
        "subtitle": subtitle,
        "panel_template": frame,
        "as_page": not request.htmx,
        "in_panel": bool(request.htmx),
        "close_href": back,
        "back_href": back,
    }
    answer = render(request, frame if request.htmx else "desk/panel.html", shown, status=status)
    if request.htmx:
        # The address stays the board's, so that reloading it shows the board.
        answer["HX-Push-Url"] = "false"
    return answer
