"""Patients look after their places on the waitlist: see them, change them, rest, leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.models import Patient
from patients.privacy.pages import Audience, page
from scheduling.errors import SchedulingError
from scheduling.forms.portal_waitlist import WishForm, initial_of
from scheduling.links import reaches
from scheduling.models import WaitlistEntry, WaitlistOffer
from scheduling.presenters import Tag
from scheduling.refusal_words import in_words
from scheduling.views.portal_choices import PortalRequest, answer
from scheduling.views.portal_offered import deadline, live_offer
from scheduling.views.portal_waiting import (
    actor_for,
    asked_of_entry,
    entry_page,
    facts_of,
    is_own,
    turn_away,
    whom,
)
from scheduling.visit_facts import moment
from scheduling.visit_words import visit_name
from scheduling.waitlist import entries
from scheduling.waitlist.reach import OFFER_RELATED, entries_within_reach
from scheduling.waitlist.words import entry_in_words

Status = WaitlistEntry.Status
MOST_ENDED = 20
KINDS = {
    Status.WAITING: "confirmed",
    Status.PAUSED: "late",
    Status.BOOKED: "completed",
    Status.LEFT: "cancelled",
    Status.EXPIRED: "cancelled",
}


@page(audience=Audience.PUBLIC, phi=True)
def waitlist(request: PortalRequest) -> HttpResponse:
    """List what somebody waits for, and below what they have waited for; strangers sign in."""
    now = timezone.now()
    reach = entries_within_reach(request.session, request.user, now=now)
    rows = list(reach.order_by("created_at", "pk"))
    if not rows and not request.user.is_authenticated:
        return turn_away(request, reverse("portal:waitlist"))
    live = [entry for entry in rows if entry.status in entries.LIVE]
    ended = [entry for entry in reversed(rows) if entry.status not in entries.LIVE]
    several = Patient.objects.filter(user=request.user.pk).count() > 1
    offered = live_offers(live, now)
    context = {
        "offers": [_offer_row(offer) for offer in offered],
        "live": [_row(request, entry, named=several) for entry in live],
        "ended": [_row(request, entry, named=several) for entry in ended[:MOST_ENDED]],
    }
    return answer(request, "waitlist", context)


def live_offers(live: list[WaitlistEntry], now: datetime) -> list[WaitlistOffer]:
    """Return the offers to these entries that still stand, the first to end first."""
    rows = WaitlistOffer.objects.filter(
        entry__in=live, status=WaitlistOffer.Status.OFFERED, expires_at__gt=now
    )
    return list(rows.select_related(*OFFER_RELATED).order_by("expires_at"))


def _offer_row(offer: WaitlistOffer) -> dict[str, Any]:
    return {**live_offer(offer), "until": deadline(offer, timezone.now())}


def _row(request: PortalRequest, entry: WaitlistEntry, *, named: bool) -> dict[str, Any]:
    """Return an entry as the component for rows shows it; `named` says for whom it is."""
    details = [whom(entry), entry_in_words(entry)]
    if entry.replaces is not None:
        details.append(_("in place of %(when)s") % {"when": moment(entry.replaces)})
    if named and is_own(request, entry.patient):
        details.insert(0, _("For %(name)s") % {"name": entry.patient.full_name})
    return {
        "href": reverse("portal:waitlist_entry", args=[entry.pk]),
        "title": visit_name(entry.appointment_type),
        "detail": " · ".join(details),
        "tags": [tag_of(entry)],
    }


def tag_of(entry: WaitlistEntry) -> Tag:
    status = Status(entry.status)
    return Tag(KINDS[status], str(status.label))


@entry_page()
def entry(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> HttpResponse:
    """Show what somebody waits for, how it stands, and what they may do with it."""
    return show_entry(request, entry, now)


def show_entry(
    request: PortalRequest,
    entry: WaitlistEntry,
    now: datetime,
    *,
    refusal: SchedulingError | None = None,
) -> HttpResponse:
    """Show a place on the list; after a refusal (409) with its words, and as it is now."""
    if refusal is not None:
        entry.refresh_from_db(fields=["status", "booked", "ended_at"])
    offered = live_offers([entry], now)
    booked = entry.booked if entry.status == Status.BOOKED else None
    context = {
        "entry": entry,
        "facts": facts_of(entry, is_own=is_own(request, entry.patient)),
        "tag": tag_of(entry),
        "is_live": entry.status in entries.LIVE,
        "is_paused": entry.status == Status.PAUSED,
        "offers": [_offer_row(offer) for offer in offered],
        "booked": booked if booked and reaches(request, booked, now=now) else None,
        "refusal": refusal and in_words(refusal),
    }
    return answer(request, "waitlist_entry", context, status=200 if refusal is None else 409)


@entry_page(methods=("GET", "POST"))
def change(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> HttpResponse:
    """Let somebody wait for something else, in the same place."""
    if entry.status not in entries.LIVE:
        return redirect("portal:waitlist_entry", pk=entry.pk)
    asked = asked_of_entry(request, entry, now)
    data = request.POST if request.method == "POST" else None
    form = WishForm(data, asked=asked, initial=initial_of(entry))
    context = {"entry": entry, "form": form, "kind": asked.kind}
    if not form.is_valid():
        return answer(request, "waitlist_change", context)
    by = actor_for(request, entry.patient)
    try:
        entries.change(entry, wish=form.wish(), by=by, now=now)
    except SchedulingError as refusal:
        form.add_error(None, in_words(refusal))
        return answer(request, "waitlist_change", context, status=409)
    messages.success(request, _("Your wishes are saved. You keep your place in the line."))
    return redirect("portal:waitlist_entry", pk=entry.pk)


@entry_page(methods=("POST",))
def pause(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> HttpResponse:
    """Offer nothing for now; the place is kept."""
    try:
        entries.pause(entry, by=actor_for(request, entry.patient), now=now)
    except SchedulingError as refusal:
        return show_entry(request, entry, now, refusal=refusal)
    return redirect("portal:waitlist_entry", pk=entry.pk)


@entry_page(methods=("POST",))
def resume(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> HttpResponse:
    """Offer again, from the place that was kept."""
    try:
        entries.resume(entry, by=actor_for(request, entry.patient), now=now)
    except SchedulingError as refusal:
        return show_entry(request, entry, now, refusal=refusal)
    messages.success(request, _("We will offer you times again."))
    return redirect("portal:waitlist_entry", pk=entry.pk)


@entry_page(methods=("GET", "POST"))
def leave(request: PortalRequest, entry: WaitlistEntry, now: datetime) -> HttpResponse:
    """Ask once more, then take somebody off the list."""
    if request.method != "POST":
        if entry.status not in entries.LIVE:
            return redirect("portal:waitlist_entry", pk=entry.pk)
        return answer(request, "waitlist_leave", {"entry": entry})
    try:
        entries.leave(entry, by=actor_for(request, entry.patient), now=now)
    except SchedulingError as refusal:
        return show_entry(request, entry, now, refusal=refusal)
    return redirect("portal:waitlist_entry", pk=entry.pk)
