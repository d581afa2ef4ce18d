"""What a patient, or the desk for them, answers to an offer: take it, decline it, or no more.

Of any number of answers at once one counts. Refuses to know how an offer came to be, and what the
pages say of it. To look at an offer changes nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from patients.crypto import token_digest
from providers.fields import ClockTimestamp
from scheduling import booking
from scheduling.actors import Actor
from scheduling.claiming import Claim
from scheduling.errors import (
    Busy,
    HoldExpired,
    PatientBusy,
    PatientJoined,
    SchedulingError,
    Stale,
)
from scheduling.models import Appointment, BookedVia, WaitlistEntry, WaitlistOffer
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.waitlist.ending import check_dropped, drop, end_offer, until_dropped
from scheduling.waitlist.errors import OfferEnded, OfferUnknown
from scheduling.waitlist.keeping import hold_of
from scheduling.waitlist.settling import settle

TRIES = 4
KEPT = timedelta(days=1)
Status = WaitlistOffer.Status
PASSING = (Busy, PatientBusy, PatientJoined)
RELATED = ("opening__provider", "opening__clinic", "visit_type", "entry__patient")
OF_VISIT = ("provider", "clinic", "appointment_type", "patient")


def find(token: str, *, now: datetime) -> WaitlistOffer:
    """Return the offer behind a token, in whatever status; until a day after the visit's end.

    Raises OfferUnknown.
    """
    rows = WaitlistOffer.objects.select_related(*RELATED)
    offer = rows.filter(token_digest=token_digest(token), visit_end__gt=now - KEPT).first()
    if offer is None:
        raise OfferUnknown
    return offer


def accept(*, offer: WaitlistOffer, by: Actor, now: datetime) -> Appointment:
    """Take an offer: the visit that it was to replace moves, or a new one is booked.

    Whoever takes it again gets the same visit. Raises OfferEnded with how it ended; PatientBusy
    and Busy, after which it still stands; or whatever else forbids the visit by now (SlotTaken,
    ProviderAway, ...), after which it is GONE and the next patient's turn has come.
    """
    for left in reversed(range(TRIES)):
        known = _fresh(offer.pk)
        if _is_over(known):
            return _visit_of(known)
        try:
            return _take(known, by=by, now=now)
        except SchedulingError as refusal:
            known = _fresh(offer.pk)
            if _is_over(known):
                return _visit_of(known)
            if isinstance(refusal, HoldExpired | Stale) and left:
                continue
            _let_go(known, refusal, by=by, now=now)
            raise
    raise AssertionError("the last try returns or raises")


def decline(*, offer: WaitlistOffer, by: Actor, now: datetime) -> WaitlistOffer:
    """Say no to an offer; the entry keeps its place, and the next patient's turn has come.

    An offer that was not taken and is over stays as it ended. Raises OfferEnded if it was taken.
    """
    return _refuse(offer, by=by, now=now)


def stop(*, offer: WaitlistOffer, by: Actor, now: datetime) -> WaitlistOffer:
    """Decline, and get no more offers until the patient wants them again: the entry is PAUSED.

    Pauses although the offer is over already. Raises OfferEnded if it was taken.
    """
    return until_dropped(partial(_refuse, offer, by=by, now=now, pause=True))


@in_one_transaction
def unreachable(offer_pk: UUID, *, now: datetime) -> None:
    """Let an offer be GONE of which nobody could be told, so that the next one is made.

    Opens a transaction of its own: not to be called inside of another.
    """
    limit_waiting()
    offer = WaitlistOffer.objects.select_related("entry").get(pk=offer_pk)
    end_offer(offer, status=Status.GONE, by=Actor.system("waitlist"), now=now)


def _fresh(pk: UUID) -> WaitlistOffer:
    """Return an offer as it is now, with the instant at which the database read it."""
    rows = WaitlistOffer.objects.select_related(*RELATED).annotate(clock=ClockTimestamp())
    return rows.get(pk=pk)


def _is_over(offer: WaitlistOffer) -> bool:
    """Say whether an offer cannot be taken any more; the sweep may not have closed it yet."""
    clock: datetime = offer.clock  # type: ignore[attr-defined]
    return offer.status != Status.OFFERED or offer.expires_at <= clock


def _visit_of(offer: WaitlistOffer) -> Appointment:
    """Return the visit by which an offer was taken. Raises OfferEnded where it was not."""
    if offer.status == Status.OFFERED:
        raise OfferEnded(status=Status.EXPIRED)
    visit = _visit(offer.appointment_id) if offer.status == Status.CLAIMED else None
    if visit is None:
        raise OfferEnded(status=offer.status)
    return visit


def _visit(pk: UUID | None) -> Appointment | None:
    """Return a visit as it is now, with all that booking asks of it."""
    if pk is None:
        return None
    return Appointment.objects.select_related(*OF_VISIT).filter(pk=pk).first()


def _take(offer: WaitlistOffer, *, by: Actor, now: datetime) -> Appointment:
    replaced = _replaced(offer.entry, now=now)
    was = None if replaced is None else replaced.scheduled_start
    claim = Claim(
        hold=hold_of(offer.opening_id),
        settle=partial(settle, offer, moved_from=was, by=by, now=now),
    )
    if replaced is not None:
        return booking.reschedule(
            appointment=replaced,
            start=offer.visit_start,
            provider=offer.opening.provider,
            clinic=offer.opening.clinic,
            visit_type=offer.visit_type,
            claim=claim,
            by=by,
            now=now,
        )
    return booking.book(
        patient=offer.entry.patient,
        provider=offer.opening.provider,
        clinic=offer.opening.clinic,
        visit_type=offer.visit_type,
        start=offer.visit_start,
        via=BookedVia.WAITLIST,
        claim=claim,
        by=by,
        now=now,
    )


def _replaced(entry: WaitlistEntry, *, now: datetime) -> Appointment | None:
    """Return the visit that an earlier one takes the place of, while it can still be moved."""
    visit = _visit(entry.replaces_id)
    if visit is None or visit.status not in booking.MOVABLE or visit.scheduled_start <= now:
        return None
    return visit


def _let_go(offer: WaitlistOffer, refusal: SchedulingError, *, by: Actor, now: datetime) -> None:
    """End an offer that nobody can take any more; one whose deadline passed, the sweep ends."""
    has_expired = isinstance(refusal, OfferEnded) and refusal.status == Status.EXPIRED
    if not (has_expired or isinstance(refusal, PASSING)):
        _end(offer, status=Status.GONE, by=by, now=now)


@in_one_transaction
def _end(offer: WaitlistOffer, *, status: str, by: Actor, now: datetime) -> None:
    limit_waiting()
    end_offer(offer, status=status, by=by, now=now)


@in_one_transaction
def _refuse(
    offer: WaitlistOffer, *, by: Actor, now: datetime, pause: bool = False
) -> WaitlistOffer:
    limit_waiting()
    known = _fresh(offer.pk)
    if known.status == Status.OFFERED and end_offer(known, status=Status.DECLINED, by=by, now=now):
        known.status, known.answered_at = Status.DECLINED, now
    else:
        known.refresh_from_db(fields=["status", "answered_at"])
    if known.status == Status.CLAIMED:
        raise OfferEnded(status=Status.CLAIMED)
    if pause:
        _pause(known.entry, by=by, now=now)
    return known


def _pause(entry: WaitlistEntry, *, by: Actor, now: datetime) -> None:
    """Pause an entry that waits; whoever ended it meanwhile knew better."""
    drop(entry, by=by, now=now)
    rows = WaitlistEntry.objects.select_for_update(no_key=True)
    waiting = rows.filter(pk=entry.pk, status=WaitlistEntry.Status.WAITING).first()
    if waiting is not None:
        check_dropped(waiting)
        waiting.status = WaitlistEntry.Status.PAUSED
        waiting.save(update_fields=["status"])
        entry.status = waiting.status
