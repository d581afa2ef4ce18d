"""What is written with a claim: the offer taken, the others gone, nobody waiting for it any more.

All of it in the booking's own transaction, under the calendar's lock, or nothing.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef
from psycopg.types.range import Range

from providers.fields import ClockTimestamp
from scheduling.actors import Actor
from scheduling.models import Appointment, Opening, WaitlistEntry, WaitlistOffer
from scheduling.openings import interval_of, nudge
from scheduling.waitlist.ending import note, wake_after
from scheduling.waitlist.errors import OfferEnded
from scheduling.waitlist.rests import rests_of, span_of

Status = WaitlistOffer.Status
WAITS = [WaitlistEntry.Status.WAITING, WaitlistEntry.Status.PAUSED]


def settle(
    offer: WaitlistOffer,
    appointment: Appointment,
    *,
    moved_from: datetime | None,
    by: Actor,
    now: datetime,
) -> None:
    """Let an offer be taken by this visit; `moved_from` is when it was to begin before.

    Raises OfferEnded where the opening is closed, the offer is over, or its deadline has passed by
    the database's clock: then nothing is booked.
    """
    _fill(offer, appointment, now=now)
    gained = None if moved_from is None else _days(moved_from, appointment)
    _take(offer, appointment, gained=gained, now=now)
    _tell_the_others(offer, now=now)
    _end_waiting(offer.entry, appointment, now=now)
    note(offer, offer.entry, status=Status.CLAIMED, by=by, now=now)


def _fill(offer: WaitlistOffer, appointment: Appointment, *, now: datetime) -> None:
    """Let the opening be filled by what the visit takes of it; the rest opens anew."""
    rows = Opening.objects.select_for_update(no_key=True).filter(state=Opening.State.OPEN)
    opening = rows.filter(pk=offer.opening_id).first()
    if opening is None:
        raise OfferEnded(status=Status.GONE)
    whole, busy = span_of(opening), interval_of(appointment.busy)
    if whole.overlaps(busy):
        _open_rests(rests_of(opening, busy, now=now))
        opening.span = Range(max(whole.start, busy.start), min(whole.end, busy.end))
    opening.state, opening.ended = Opening.State.FILLED, Opening.Ended.CLAIMED
    opening.ended_at, opening.round = now, opening.round + 1
    opening.save(update_fields=["span", "state", "ended", "ended_at", "round"])


def _open_rests(rests: list[Opening]) -> None:
    if rests:
        Opening.objects.bulk_create(rests)
        nudge()


def _take(
    offer: WaitlistOffer, appointment: Appointment, *, gained: int | None, now: datetime
) -> None:
    """Write the claim, if the offer stands and its deadline is to come by the database's clock."""
    live = WaitlistOffer.objects.filter(pk=offer.pk, status=Status.OFFERED)
    taken = live.filter(expires_at__gt=ClockTimestamp()).update(
        status=Status.CLAIMED, appointment=appointment, days_gained=gained, answered_at=now
    )
    if not taken:
        raise OfferEnded(status=Status.EXPIRED)


def _tell_the_others(offer: WaitlistOffer, *, now: datetime) -> None:
    """Let the other offers of this time be gone; whoever had them may be offered another."""
    others = WaitlistOffer.objects.filter(opening=offer.opening_id, status=Status.OFFERED)
    entries = list(others.values_list("entry", flat=True))
    if entries:
        others.update(status=Status.GONE)
        wake_after(entries, now=now)


def _days(moved_from: datetime, appointment: Appointment) -> int:
    """Return by how many days of the clinic's calendar the visit comes sooner, at least 0."""
    was = moved_from.astimezone(appointment.clinic.zone).date()
    return max(0, (was - appointment.local_start.date()).days)


def _end_waiting(entry: WaitlistEntry, appointment: Appointment, *, now: datetime) -> None:
    """End this entry, and what the patient waits for besides that is the same.

    One that is the same and has an offer of its own for another time stays until that is answered.
    """
    offered = WaitlistOffer.objects.filter(entry=OuterRef("pk"), status=Status.OFFERED)
    same = WaitlistEntry.objects.select_for_update(no_key=True).filter(
        ~Exists(offered),
        patient=entry.patient_id,
        clinic=entry.clinic_id,
        appointment_type=entry.appointment_type_id,
        provider=entry.provider_id,
        specialty=entry.specialty_id,
        status__in=WAITS,
    )
    for waiting in same.order_by("pk"):
        waiting.status, waiting.booked = WaitlistEntry.Status.BOOKED, appointment
        waiting.ended_at = now
        waiting.save(update_fields=["status", "booked", "ended_at"])
