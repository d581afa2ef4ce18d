"""What the desk does with a gap: offer it by phone, answer for a patient, take an offer or it back.

Somebody may always have been faster: then what happened is said, and the gap is shown anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.privacy.pages import Audience, StaffRequest, page
from providers.models import Clinic, Provider
from scheduling import gap_counts
from scheduling.actors import Actor
from scheduling.desk_words import when_words
from scheduling.errors import OutsideHours, SchedulingError
from scheduling.facts import hours_around
from scheduling.forms.desk_place import Asked
from scheduling.forms.desk_waitlist import CellForm, EntryForm
from scheduling.gap_words import moment, refused, span_words
from scheduling.intervals import Interval
from scheduling.models import Opening, WaitlistOffer
from scheduling.openings import open_by_hand
from scheduling.views.desk_gaps import gap_or_404, show
from scheduling.views.desk_pages import at_desk, board_address, panel
from scheduling.waitlist import claims, offering
from scheduling.waitlist.listing import LIVE, entries_seen_by, offers_of

CONFLICT = 409
MINUTE = timedelta(minutes=1)
OFFER_RELATED = (
    "entry__patient",
    "entry__clinic__time_zone",
    "entry__replaces",
    "visit_type",
    "opening__provider",
    "opening__clinic__time_zone",
)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def gap_open(request: StaffRequest) -> HttpResponse:
    """Offer a free time of the board to the waitlist, from now on."""
    form, now = CellForm(request), timezone.now()
    if not form.is_valid():
        raise Http404
    told = form.cleaned_data
    provider, clinic, start = told["provider"], told["clinic"], told["start"]
    try:
        span = _cell(start, provider=provider, clinic=clinic)
        opening = open_by_hand(
            provider=provider, clinic=clinic, span=span, by=at_desk(request), now=now
        )
    except SchedulingError as refusal:
        messages.error(request, refused(refusal))
        return redirect(board_address(start.astimezone(clinic.zone).date()))
    gap_counts.forget()
    messages.success(request, _("It is offered to the waitlist from now on."))
    return redirect("desk:gap", opening.pk)


def _cell(start: datetime, *, provider: Provider, clinic: Clinic) -> Interval:
    """Return the free cell of the board that begins then. Raises OutsideHours where none does."""
    windows = hours_around(start, provider=provider.pk, clinic=clinic.pk, zone=clinic.zone)
    steps = [window.step for window in windows if window.offers(start)]
    if not steps:
        raise OutsideHours
    return Interval(start, start + min(steps) * MINUTE)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def gap_offer(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Keep the gap for one who waits while the desk calls them."""
    opening, form = gap_or_404(request, pk), EntryForm(request.POST)
    if not form.is_valid():
        raise Http404
    seen = entries_seen_by(request.user, [opening.clinic])
    entry = get_object_or_404(seen, pk=form.cleaned_data["entry"])

    def offer(now: datetime) -> str:
        made = offering.offer_by_phone(opening=opening, entry=entry, by=at_desk(request), now=now)
        until = moment(made.expires_at, opening.clinic.zone, now=now)
        name = entry.patient.full_name
        return _("Kept for %(name)s until %(time)s. Call now.") % {"name": name, "time": until}

    return _do(request, opening, offer)


@page(audience=Audience.DESK, permission="manage_appointments", methods=("POST",), phi=True)
def offer_act(request: StaffRequest, pk: UUID, name: str) -> HttpResponse:
    """Answer an offer for the patient who is on the phone, or take it back."""
    if name not in ANSWERS:
        raise Http404
    seen = WaitlistOffer.objects.visible_to(request.user).filter(
        opening__clinic__in=request.clinics
    )
    offer = get_object_or_404(seen.select_related(*OFFER_RELATED), pk=pk)
    answer = ANSWERS[name]
    return _do(
        request,
        gap_or_404(request, offer.opening_id),
        lambda now: answer(offer, by=at_desk(request), now=now),
    )


def _claim(offer: WaitlistOffer, *, by: Actor, now: datetime) -> str:
    booked = claims.accept(offer=offer, by=by, now=now)
    return _("Booked: %(name)s, %(when)s, %(provider)s.") % {
        "name": offer.entry.patient.full_name,
        "when": when_words(booked.scheduled_start, booked.clinic.zone),
        "provider": booked.provider.name,
    }


def _decline(offer: WaitlistOffer, *, by: Actor, now: datetime) -> str:
    claims.decline(offer=offer, by=by, now=now)
    name = offer.entry.patient.full_name
    return _("%(name)s said no, and keeps the place on the waitlist.") % {"name": name}


def _take_back(offer: WaitlistOffer, *, by: Actor, now: datetime) -> str:
    offering.withdraw_offer(offer=offer, by=by, now=now)
    name = offer.entry.patient.full_name
    return _("The offer to %(name)s is taken back.") % {"name": name}


ANSWERS = {"claim": _claim, "decline": _decline, "withdraw": _take_back}


@page(audience=Audience.DESK, permission="manage_appointments", methods=("GET", "POST"), phi=True)
def gap_withdraw(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask, then stop offering a gap: for everybody, or to book it for somebody who is there."""
    opening = gap_or_404(request, pk)
    if request.method == "GET":
        return _ask(request, opening)
    onwards = _quick_book(opening)

    def withdraw(now: datetime) -> str:
        offering.withdraw(opening=opening, by=at_desk(request), now=now)
        return _("The time is not offered to the waitlist any more.")

    done = _do(request, opening, withdraw)
    books = request.POST.get("then") == "book" and done.status_code != CONFLICT
    return redirect(onwards) if books else done


def _ask(request: StaffRequest, opening: Opening) -> HttpResponse:
    live = [offer for offer in offers_of(opening) if offer.status == LIVE]
    back = reverse("desk:gap", args=[opening.pk])
    return panel(
        request,
        "desk/gap_withdraw.html",
        {"opening": opening, "names": [offer.entry.patient.full_name for offer in live]},
        title=_("Stop offering this time?"),
        subtitle=f"{span_words(opening, opening.clinic.zone)} · {opening.provider.name}",
        back=back,
    )


def _quick_book(opening: Opening) -> str:
    """Return where the gap is booked at once: at the start that was offered, else its own."""
    offered = [offer.visit_start for offer in offers_of(opening) if offer.status == LIVE]
    before = opening.visit_type.buffer_before_minutes if opening.visit_type else 0
    start = min(offered, default=opening.span.lower + before * MINUTE)
    return Asked(opening.clinic, opening.provider, start).address()


def _do(request: StaffRequest, opening: Opening, act: Callable[[datetime], str]) -> HttpResponse:
    """Do one act and lead back to the gap; 409 and the gap as it is now where it is refused."""
    now = timezone.now()
    try:
        said = act(now)
    except SchedulingError as refusal:
        current = gap_or_404(request, opening.pk)
        return show(request, current, now=now, problem=refused(refusal), status=CONFLICT)
    gap_counts.forget()
    messages.success(request, said)
    return redirect("desk:gap", opening.pk)
