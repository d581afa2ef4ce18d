"""The day board: a clinic's day at one glance, kept fresh by a poll that changes nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from patients.privacy.middleware import CLINIC_SESSION_KEY
from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import Clinic
from scheduling.board import lay_out
from scheduling.desk_words import day_name
from scheduling.forms.desk_board import ClinicForm, FilterForm, asked_day
from scheduling.queries import ClinicDay, clinic_day
from scheduling.views.desk_pages import board_address

DAY = timedelta(days=1)
FILTER_SESSION_KEY = "board_specialty"


@page(
    audience=Audience.DESK,
    permission="view_appointments",
    methods=("GET", "POST"),
    phi=True,
)
def board(request: StaffRequest) -> HttpResponse:
    """Show a clinic's day; a POST chooses the specialty shown, for this sign-in."""
    if request.method == "POST":
        return _keep_filter(request)
    now = timezone.now()
    today = now.astimezone(request.clinic.zone).date()
    day = asked_day(request, otherwise=today)
    context = _day_context(request, day, now)
    return render(request, "desk/board.html", {**context, **_links(day, today)})


@page(audience=Audience.DESK, permission="view_appointments", phi=True, passive=True)
def board_now(request: StaffRequest) -> HttpResponse:
    """Answer the board's poll: nothing (204) while it is still what `seen` stands for."""
    now = timezone.now()
    day = asked_day(request, otherwise=now.astimezone(request.clinic.zone).date())
    context = _day_context(request, day, now)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "components/board.html", context)


@page(audience=Audience.DESK, permission="view_appointments", methods=("POST",))
def choose_clinic(request: StaffRequest) -> HttpResponse:
    """Keep the clinic that the user is at from now on."""
    form = ClinicForm(request)
    if not form.is_valid():
        raise Http404
    clinic: Clinic = form.cleaned_data["clinic"]
    request.session[CLINIC_SESSION_KEY] = str(clinic.pk)
    return redirect("desk:board")


def _keep_filter(request: StaffRequest) -> HttpResponse:
    form = FilterForm(request.POST)
    if not form.is_valid():
        raise Http404
    specialty = form.cleaned_data["specialty"]
    kept = {"id": str(specialty.pk), "name": specialty.name} if specialty else None
    request.session[FILTER_SESSION_KEY] = kept
    day = form.cleaned_data["day"]
    return redirect(board_address(day) if day else "desk:board")


def _day_context(request: StaffRequest, day: date, now: datetime) -> dict[str, Any]:
    """Return the board of a day and what it needs to be asked for again."""
    whole = clinic_day(request.clinic, day, now=now)
    wanted = request.session.get(FILTER_SESSION_KEY)
    shown = lay_out(_only(whole, wanted["id"] if wanted else ""), now=now)
    seen = _digest(shown)
    query = urlencode({"day": day.isoformat(), "seen": seen})
    return {
        "board": shown,
        "seen": seen,
        "poll_url": f"{reverse('desk:board_now')}?{query}",
        "day": day,
        "specialty": wanted,
        "specialties": _specialties(whole),
    }


def _only(day: ClinicDay, specialty: str) -> ClinicDay:
    """Return the day with the columns of one specialty; all of them where none is named."""
    if not specialty:
        return day
    kept = [c for c in day.columns if str(c.provider.specialty_id) == specialty]
    return replace(day, columns=kept)


def _specialties(day: ClinicDay) -> list[dict[str, str]]:
    """Return what may be chosen: the specialties of those who work that day, by name."""
    here = {column.provider.specialty for column in day.columns if column.provider.specialty}
    return [{"id": str(one.pk), "name": one.name} for one in sorted(here, key=lambda one: one.name)]


def _digest(board: dict[str, Any]) -> str:
    """Return a keyed digest of what the board shows, the minute on its clock apart."""
    now = board["now"] and (board["now"]["hour"], board["now"]["minute"])
    return salted_hmac("desk.board", repr({**board, "now": now})).hexdigest()[:16]


def _links(day: date, today: date) -> dict[str, Any]:
    return {
        "nav_current": "board",
        "is_today": day == today,
        "year": "" if day.year == today.year else day.year,
        "today_href": reverse("desk:board"),
        "earlier": {"href": board_address(day - DAY), "label": day_name(day - DAY)},
        "later": {"href": board_address(day + DAY), "label": day_name(day + DAY)},
    }
