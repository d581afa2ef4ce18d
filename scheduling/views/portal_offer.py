"""A patient answers an offer of freed time: takes it, keeps what they have, or wants no more.

To look at one changes nothing, whoever looks. How it ended has a page for each end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from patients.privacy.pages import Audience, page
from scheduling import links
from scheduling.errors import PatientBusy, SchedulingError
from scheduling.models import Appointment, WaitlistEntry, WaitlistOffer
from scheduling.refusal_words import in_words
from scheduling.views.portal_choices import PortalRequest, answer
from scheduling.views.portal_offered import countdown, others_too, replaced, side_by_side
from scheduling.views.portal_visit import COMING
from scheduling.views.portal_waiting import actor_for, is_own, turn_away
from scheduling.visit_facts import facts, moment
from scheduling.waitlist import claims
from scheduling.waitlist.errors import OfferEnded, OfferUnknown
from scheduling.waitlist.reach import OFFER_RELATED, admit_offer, offers_within_reach

OfferView = Callable[[PortalRequest, WaitlistOffer, datetime], HttpResponse]
PageView = Callable[[PortalRequest, UUID], HttpResponse]
Status = WaitlistOffer.Status
PAGES = {
    Status.CLAIMED: "claimed",
    Status.EXPIRED: "expired",
    Status.DECLINED: "declined",
    Status.GONE: "gone",
}


@page(audience=Audience.PUBLIC, phi=True)
def offer_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take an offer's token out of the address, and go on to the offer."""
    try:
        offer = claims.find(token, now=timezone.now())
    except OfferUnknown:
        response = render(request, "portal/offer_unknown.html", status=404)
    else:
        admit_offer(request.session, offer)
        response = redirect("portal:offered", pk=offer.pk)
    response["Referrer-Policy"] = "no-referrer"
    return response


def offer_page(*, methods: tuple[str, ...] = ("GET",)) -> Callable[[OfferView], PageView]:
    """Declare a page about one offer; the view gets the offer and the instant of the request.

    Strangers are asked to sign in, whether the offer exists or not; for others it is a 404.
    """

    def declare(view: OfferView) -> PageView:
        @page(audience=Audience.PUBLIC, methods=methods, phi=True)
        @wraps(view)
        def gate(request: PortalRequest, pk: UUID) -> HttpResponse:
            now = timezone.now()
            reach = offers_within_reach(request.session, request.user, now=now)
            offer = reach.filter(pk=pk).first()
            if offer is None:
                return turn_away(request, reverse("portal:offered", args=[pk]))
            request.clinic = offer.opening.clinic
            return view(request, offer, now)

        return gate

    return declare


@offer_page()
def offered(request: PortalRequest, offer: WaitlistOffer, now: datetime) -> HttpResponse:
    """Show an offer while it stands, and how it ended afterwards."""
    return show_offer(request, offer, now)


def show_offer(
    request: PortalRequest,
    offer: WaitlistOffer,
    now: datetime,
    *,
    refusal: SchedulingError | None = None,
) -> HttpResponse:
    """Show an offer; after a refusal (409) with its words, and as it is now."""
    status = 200 if refusal is None else 409
    if offer.status != Status.OFFERED or offer.expires_at <= now:
        return _show_end(request, offer, now, status=status)
    context = {
        "offer": offer,
        "deadline": countdown(offer, now),
        "others_too": others_too(offer),
        "refusal": refusal and in_words(refusal),
        "patient": offer.entry.patient if is_own(request, offer.entry.patient) else None,
        **side_by_side(offer, now),
    }
    return answer(request, "offer", context, status=status)


def _show_end(
    request: PortalRequest, offer: WaitlistOffer, now: datetime, *, status: int
) -> HttpResponse:
    """Show how an offer ended: taken, declined, gone, or too late for it."""
    visit = offer.appointment
    if offer.status == Status.CLAIMED and visit is not None:
        return _show_claimed(request, offer, visit, now)
    kept = replaced(offer, now)
    entry = offer.entry
    context = {
        "offer": offer,
        "kept": moment(kept) if kept else "",
        "waits": entry.status == WaitlistEntry.Status.WAITING,
        "is_paused": entry.status == WaitlistEntry.Status.PAUSED,
        "entry": entry,
    }
    # One whose deadline has passed may stand as OFFERED until the next sweep.
    name = PAGES.get(Status(offer.status), "expired")
    return answer(request, f"offer_{name}", context, status=status)


def _show_claimed(
    request: PortalRequest, offer: WaitlistOffer, visit: Appointment, now: datetime
) -> HttpResponse:
    context = {
        "offer": offer,
        "visit": visit,
        "moment": moment(visit),
        "facts": facts(visit, is_own=False),
        "stands": visit.status in COMING and visit.scheduled_start == offer.visit_start,
        "can_manage": links.reaches(request, visit, now=now),
        "moved": offer.entry.replaces_id == visit.pk,
        "cutoff": visit.clinic.patient_cutoff_hours,
    }
    return answer(request, "offer_claimed", context)


@offer_page(methods=("POST",))
def accept(request: PortalRequest, offer: WaitlistOffer, now: datetime) -> HttpResponse:
    """Take the offered time. Sent twice, it is taken once."""
    by = actor_for(request, offer.entry.patient)
    try:
        visit = claims.accept(offer=offer, by=by, now=now)
    except OfferEnded:
        return redirect("portal:offered", pk=offer.pk)
    except PatientBusy:
        return _show_busy(request, offer, now)
    except SchedulingError as refusal:
        return show_offer(request, _as_it_is(offer), now, refusal=refusal)
    if not links.reaches(request, visit, now=now):
        links.grant(request.session, visit, now=now)
    return redirect("portal:offered", pk=offer.pk)


def _show_busy(request: PortalRequest, offer: WaitlistOffer, now: datetime) -> HttpResponse:
    """Say that the patient has another visit then (409); which one, only to who may see it."""
    reach = links.within_reach(request.session, request.user, now=now)
    other = reach.filter(
        patient=offer.entry.patient_id,
        status__in=COMING,
        scheduled_start__lt=offer.visit_end,
        scheduled_end__gt=offer.visit_start,
    ).first()
    context: dict[str, Any] = {
        "offer": offer,
        "other": other,
        "other_moment": moment(other) if other else "",
        "deadline": countdown(offer, now),
        **side_by_side(offer, now),
    }
    return answer(request, "offer_busy", context, status=409)


def _as_it_is(offer: WaitlistOffer) -> WaitlistOffer:
    """Return the offer as the database has it, after a verb that refused."""
    return WaitlistOffer.objects.select_related(*OFFER_RELATED).get(pk=offer.pk)


@offer_page(methods=("POST",))
def keep(request: PortalRequest, offer: WaitlistOffer, now: datetime) -> HttpResponse:
    """Say no to the offered time; the next patient is asked, and the place is kept."""
    return _refuse(request, offer, claims.decline, now)


@offer_page(methods=("POST",))
def stop(request: PortalRequest, offer: WaitlistOffer, now: datetime) -> HttpResponse:
    """Say no, and want no more offers until further notice."""
    return _refuse(request, offer, claims.stop, now)


def _refuse(
    request: PortalRequest,
    offer: WaitlistOffer,
    verb: Callable[..., WaitlistOffer],
    now: datetime,
) -> HttpResponse:
    try:
        verb(offer=offer, by=actor_for(request, offer.entry.patient), now=now)
    except OfferEnded:
        return redirect("portal:offered", pk=offer.pk)
    except SchedulingError as refusal:
        return show_offer(request, _as_it_is(offer), now, refusal=refusal)
    return redirect("portal:offered", pk=offer.pk)
