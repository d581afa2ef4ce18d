"""Who waits at the clinic, and one who does: their wishes, resting, leaving, past offers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from scheduling.actors import Actor
from scheduling.desk_words import when_words
from scheduling.errors import SchedulingError
from scheduling.forms.desk_waitlist import WhoForm, WishForm, told_by
from scheduling.gap_words import entry_tag, moment, offer_tag, refused
from scheduling.models import WaitlistEntry, WaitlistOffer
from scheduling.views.desk_holds import held_for_caller
from scheduling.views.desk_next import slot_row
from scheduling.views.desk_pages import at_desk
from scheduling.waitlist import entries
from scheduling.waitlist.listing import entries_seen_by, history_of
from scheduling.waitlist.wishing import Wish
from scheduling.waitlist.words import entry_in_words, in_words

CONFLICT, UNPROCESSABLE = 409, 422
ON_A_PAGE = 25
FILTERS = {
    "provider": "provider",
    "specialty": "specialty",
    "type": "appointment_type",
    "urgency": "urgency",
}


@page(audience=Audience.DESK, permission="manage_appointments", phi=True)
def waitlist(request: StaffRequest) -> HttpResponse:
    """Show who waits at the clinic, those who rest among them, the longest wait first."""
    now = timezone.now()
    form = WhoForm(request.GET, clinic=request.clinic)
    is_right = form.is_valid()
    found = entries_seen_by(request.user, [request.clinic]).filter(status__in=entries.LIVE)
    asked = {name: form.cleaned_data.get(name) for name in FILTERS if form.cleaned_data.get(name)}
    found = found.filter(**{FILTERS[name]: value for name, value in asked.items()})
    shown = Paginator(found, ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "is_narrowed": bool(asked),
        "rows": [entry_row(entry, now=now) for entry in shown] if is_right else [],
        "nav_current": "gaps",
        "hold": held_for_caller(request, now=now),
        "earlier_href": _at(request, shown.number - 1) if shown.has_previous() else "",
        "later_href": _at(request, shown.number + 1) if shown.has_next() else "",
    }
    return render(request, "desk/waitlist.html", context, status=200 if is_right else UNPROCESSABLE)


def _at(request: StaffRequest, number: int) -> str:
    kept = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    return f"?{urlencode(kept | {'page': number})}"


def entry_row(entry: WaitlistEntry, *, now: datetime) -> dict[str, Any]:
    """Return who waits, for what and since when, and what they are being offered."""
    zone = entry.clinic.zone
    (offer,) = entry.live_offers or [None]  # type: ignore[attr-defined]
    return {
        "href": reverse("desk:waitlist_entry", args=[entry.pk]),
        "name": entry.patient.full_name,
        "patient_href": reverse("desk:patient", args=[entry.patient_id]),
        "phone": entry.patient.phone,
        "visit": entry.appointment_type.label,
        "whom": str(entry.provider or entry.specialty or ""),
        "wishes": entry_in_words(entry),
        "sooner_than": _sooner_than(entry),
        "days": (now - entry.created_at).days,
        "waits": in_words([["WAITS", (now - entry.created_at).days]])[0],
        "is_urgent": entry.urgency == WaitlistEntry.Urgency.URGENT,
        "is_paused": entry.status == WaitlistEntry.Status.PAUSED,
        "tag": entry_tag(entry),
        "offered_until": moment(offer.expires_at, zone, now=now) if offer else "",
        "gap_href": reverse("desk:gap", args=[offer.opening_id]) if offer else "",
    }


def _sooner_than(entry: WaitlistEntry) -> str:
    visit = entry.replaces
    return when_words(visit.scheduled_start, entry.clinic.zone) if visit else ""


def entry_or_404(request: StaffRequest, pk: UUID) -> WaitlistEntry:
    return get_object_or_404(entries_seen_by(request.user, request.clinics), pk=pk)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def waitlist_entry(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show who waits and for what; a POST changes what they would take."""
    entry, now = entry_or_404(request, pk), timezone.now()
    if request.method == "GET":
        return show(request, entry, now=now)
    form = _form(entry, now, request.POST)
    if not form.is_valid():
        return show(request, entry, form=form, now=now, status=UNPROCESSABLE)
    try:
        wish = form.wish(replaces=entry.replaces)
        entries.change(entry, wish=wish, by=at_desk(request), now=now)
    except SchedulingError as refusal:
        problem, current = refused(refusal), entry_or_404(request, pk)
        return show(request, current, form=form, problem=problem, now=now, status=CONFLICT)
    messages.success(request, _("The wishes are saved. The place is kept."))
    return redirect("desk:waitlist_entry", pk)


def _form(entry: WaitlistEntry, now: datetime, data: Any = None) -> WishForm:
    return WishForm(
        data,
        initial=told_by(entry),
        clinic=entry.clinic,
        today=now.astimezone(entry.clinic.zone).date(),
        notice=entry.minimum_notice_minutes,
    )


def show(
    request: StaffRequest,
    entry: WaitlistEntry,
    *,
    now: datetime,
    form: WishForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Render one who waits, with the form as it was filled in where that was refused."""
    is_live = entry.status in entries.LIVE
    context = {
        "entry": entry,
        "row": entry_row(entry, now=now),
        "form": form or _form(entry, now),
        "is_live": is_live,
        "free": free_rows(entries.wish_of(entry), entry, now=now) if is_live else [],
        "history": [_offer_row(offer, now=now) for offer in history_of(entry)],
        "problem": problem,
        "nav_current": "gaps",
        "hold": held_for_caller(request, now=now),
    }
    return render(request, "desk/waitlist_entry.html", context, status=status)


def free_rows(wish: Wish, who: Any, *, now: datetime) -> list[dict[str, Any]]:
    """Return up to three times that fit already; `who` has a patient and a clinic."""
    found = entries.found_now(wish, patient=who.patient, clinic=who.clinic, now=now)
    return [
        slot_row(slot, wish.appointment_type, who.patient)
        | {"when": when_words(slot.start, slot.clinic.zone)}
        for slot in found
    ]


def _offer_row(offer: WaitlistOffer, *, now: datetime) -> dict[str, Any]:
    zone = offer.opening.clinic.zone
    return {
        "when": when_words(offer.visit_start, zone),
        "provider": offer.opening.provider.name,
        "visit": offer.visit_type.label,
        "href": reverse("desk:gap", args=[offer.opening_id]),
        "via": offer.get_via_display(),
        "made": moment(offer.made_at, zone, now=now),
        "tag": offer_tag(offer),
    }


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def waitlist_pause(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Offer somebody nothing for now; the place is kept."""
    said = _("%(name)s is offered nothing for now, and keeps the place.")
    return _do(request, pk, entries.pause, said)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def waitlist_resume(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Offer somebody freed time again, in the place that was kept."""
    return _do(request, pk, entries.resume, _("%(name)s waits again, in the same place."))


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def waitlist_leave(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask, then take somebody off the waitlist."""
    if request.method == "POST":
        return _do(request, pk, entries.leave, _("%(name)s is off the waitlist."))
    entry = entry_or_404(request, pk)
    context = {"entry": entry, "row": entry_row(entry, now=timezone.now()), "nav_current": "gaps"}
    return render(request, "desk/waitlist_leave.html", context)


def _do(
    request: StaffRequest, pk: UUID, verb: Callable[..., WaitlistEntry], said: str
) -> HttpResponse:
    entry, now = entry_or_404(request, pk), timezone.now()
    by: Actor = at_desk(request)
    try:
        verb(entry, by=by, now=now)
    except SchedulingError as refusal:
        current = entry_or_404(request, pk)
        return show(request, current, problem=refused(refusal), now=now, status=CONFLICT)
    messages.success(request, said % {"name": entry.patient.full_name})
    return redirect("desk:waitlist_entry", pk)
