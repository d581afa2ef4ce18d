"""Visits and patients on which the two sides differ: side by side, and which of them stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from emr import queries
from emr.conflict_words import lines_of, sides_of, standing, status_words, visit_words
from emr.forms import SettleForm
from emr.inbox import conflicts as settling
from emr.kinds import ConflictKind
from emr.log_rows import visit_words as booked_words
from emr.models import SyncConflict
from emr.standings import Standing
from emr.views.desk_frame import BAD_REQUEST, CONFLICT, show, show_work
from emr.words import conflict_words
from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.desk_words import when_words
from scheduling.errors import SchedulingError
from scheduling.refusal_words import in_words
from scheduling.transitions import Status

OURS, THEIRS = "ours", "theirs"
SETTLE = {OURS: settling.keep_ours, THEIRS: settling.take_theirs}


@dataclass(frozen=True, slots=True)
class Row:
    """One conflict of the list in words."""

    conflict: SyncConflict
    title: str
    visit: str
    opened: str
    outcome: str


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def conflicts(request: StaffRequest) -> HttpResponse:
    """Show the open conflicts, the oldest first, or those that are settled."""
    found = queries.conflicts_of(request.user, request.clinics)
    return show_work(
        request, "conflicts.html", found, here="conflicts", closed=_("Settled"), row=_row
    )


def _row(conflict: SyncConflict) -> Row:
    zone = conflict.connection.clinic.zone
    settled = ""
    if conflict.closed_at:
        settled = f"{conflict.get_resolution_display()}, {when_words(conflict.closed_at, zone)}"
    return Row(
        conflict=conflict,
        title=conflict_words(conflict.kind),
        visit=booked_words(conflict.appointment),
        opened=when_words(conflict.opened_at, zone),
        outcome=settled,
    )


def _conflict(request: StaffRequest, pk: UUID) -> SyncConflict:
    return get_object_or_404(queries.conflicts_of(request.user, request.clinics), pk=pk)


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def conflict(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show both sides of one conflict, and what both last agreed on."""
    return _sides(request, _conflict(request, pk))


def _sides(
    request: StaffRequest, found: SyncConflict, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "row": _row(found),
        "lines": lines_of(found),
        "is_open": found.closed_at is None,
        "problem": problem,
    }
    return show(request, "conflict.html", context, here="conflicts", status=status)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def settle(request: StaffRequest, pk: UUID, side: str) -> HttpResponse:
    """Say what one side's word will do, then let it stand; 409 where the page is out of date."""
    found = _conflict(request, pk)
    if side not in SETTLE:
        raise Http404
    if found.closed_at is not None:
        return _settled(request, found)
    if side == THEIRS and not _can_take(found):
        return _sides(request, found, problem=_unknown_provider(found), status=CONFLICT)
    if request.method == "GET":
        return _ask(request, found, side)
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _ask(request, found, side, status=BAD_REQUEST)
    if form.cleaned_data["seen"] != _stamp(found):
        return _sides(request, found, problem=_out_of_date(), status=CONFLICT)
    return _settle(request, found, side, now=timezone.now())


def _settle(
    request: StaffRequest, found: SyncConflict, side: str, *, now: datetime
) -> HttpResponse:
    try:
        SETTLE[side](found, by=request.user, now=now)
    except settling.AlreadySettled:
        return _settled(request, found)
    except SchedulingError as refusal:
        fresh = _conflict(request, found.pk)
        return _sides(request, fresh, problem=in_words(refusal), status=CONFLICT)
    queries.forget()
    said = {
        OURS: _("Ours stands. The record system is told."),
        THEIRS: _("Theirs stands. It is changed here."),
    }
    messages.success(request, said[side])
    return redirect("emr:conflicts")


def _settled(request: StaffRequest, found: SyncConflict) -> HttpResponse:
    messages.info(request, _("Somebody has settled it already."))
    return redirect("emr:conflict", found.pk)


def _can_take(found: SyncConflict) -> bool:
    """Whether what they say can stand here: a visit that is new to us needs a provider of ours."""
    if found.kind == ConflictKind.DEMOGRAPHICS or found.appointment is not None:
        return True
    told = standing(sides_of(found)[THEIRS])
    return bool(told and told.provider)


def _unknown_provider(found: SyncConflict) -> str:
    words = _(
        "%(system)s names a provider who is not known here. Say who it is under “Connections”."
    )
    return words % {"system": found.connection.name}


def _out_of_date() -> str:
    return _("Something changed meanwhile. Look at both sides again.")


def _stamp(found: SyncConflict) -> str:
    """Return what both sides were as the page was made: their version and ours."""
    ours = found.appointment.version if found.appointment else 0
    return f"{found.version_id}:{ours}"


def _ask(
    request: StaffRequest, found: SyncConflict, side: str, *, status: int = 200
) -> HttpResponse:
    context = {
        "title": _("Keep ours?") if side == OURS else _("Take theirs?"),
        "text": _consequence(found, side),
        "action": _("Keep ours") if side == OURS else _("Take theirs"),
        "form": SettleForm(initial={"seen": _stamp(found)}),
        "cancel_href": reverse("emr:conflict", args=[found.pk]),
        "calm": side == OURS,
    }
    return show(request, "ask.html", context, here="conflicts", status=status)


def _consequence(found: SyncConflict, side: str) -> str:
    """Say what will be so once this side's word stands."""
    system = found.connection.name
    if found.kind == ConflictKind.DEMOGRAPHICS:
        words: dict[str, Any] = {
            OURS: _("%(system)s keeps what it says. The details here stay as they are."),
            THEIRS: _("The details here are replaced by what %(system)s says."),
        }
        return str(words[side]) % {"system": system}
    sides = sides_of(found)
    told = standing(sides[side])
    if told is None and side == OURS:
        return _("The visit stays in %(system)s alone. Nothing is booked here.") % {
            "system": system
        }
    if told is None or (told.status is Status.CANCELLED and side == THEIRS):
        return _("The visit is cancelled here, and its time is free for others.")
    is_new = side == OURS and not sides[THEIRS]
    return _in_words(told, found, side, is_new=is_new)


def _in_words(told: Standing, found: SyncConflict, side: str, *, is_new: bool) -> str:
    zone = found.connection.clinic.zone
    words = {
        "system": found.connection.name,
        "visit": visit_words(told, zone),
        "status": status_words(told),
    }
    if is_new:
        return _("The visit is made in %(system)s once more: %(visit)s, %(status)s.") % words
    if side == OURS:
        return _("%(system)s is told: %(visit)s, %(status)s. What it says now is lost.") % words
    return (
        _("The visit here becomes: %(visit)s, %(status)s. The patient is told if the time changes.")
        % words
    )
