"""Keeping a time for somebody while they decide: it blocks everybody else, and it expires.

Writes first and locks after, like a booking: of two holds for one time the second one yields.
"""

from __future__ import annotations

import uuid
from copy import copy
from datetime import datetime, timedelta

from django.db import connection
from psycopg.types.range import Range

from patients.models import Patient
from providers.calendars import bump
from providers.fields import ClockTimestamp
from scheduling import flips
from scheduling.actors import Actor
from scheduling.errors import HoldExpired, TooManyHolds
from scheduling.flips import Flip
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Placement, look, recheck
from scheduling.policies import check_can_book, terms_for
from scheduling.transactions import in_one_transaction, limit_waiting

LENGTH = timedelta(minutes=10)
EXTENSION = timedelta(minutes=2)
MOST_EXTENSIONS = 10
KEPT = timedelta(hours=1)
MOST_PER_NETWORK = 5


def place_hold(
    placement: Placement,
    *,
    purpose: SlotHold.Purpose,
    holder: str,
    by: Actor,
    now: datetime,
    network: str = "",
    patient: Patient | None = None,
    override: str = "",
) -> SlotHold:
    """Keep a time for ten minutes, in place of the one that this holder kept before.

    `holder` is a browser's digest or a user's id, `network` the digest of an address, of which
    five may hold at once. Raises SlotTaken, TooManyHolds, Busy, or what forbids the visit.
    """
    check_can_book(placement.visit_type, by=by)
    look(placement, patient=None)
    hold = SlotHold(
        provider=placement.provider,
        clinic=placement.clinic,
        visit_type=placement.visit_type,
        visit_start=placement.start,
        visit_end=placement.end,
        busy=Range(placement.busy.start, placement.busy.end),
        purpose=purpose,
        holder=holder,
        network=network,
        patient=patient,
        expires_at=now + LENGTH,
    )
    _place(hold, placement, by=by, now=now, override=override)
    return hold


@in_one_transaction
def _place(
    hold: SlotHold, placement: Placement, *, by: Actor, now: datetime, override: str
) -> None:
    limit_waiting()
    _take_turns(hold)
    if hold.network:
        _check_network(hold)
    hold.save(force_insert=True)
    earlier = SlotHold.objects.filter(holder=hold.holder, purpose=hold.purpose).exclude(pk=hold.pk)
    known = dict(earlier.values_list("pk", "provider"))
    earlier.delete()
    concerned = {hold.provider_id, *known.values()}
    changed = {pk: Flip(dropped=tuple(known)) for pk in concerned}
    changed[hold.provider_id] = Flip(held=(flips.held(hold),), dropped=tuple(known))
    flips.after_commit(changed, stamp=bump(concerned))
    terms = terms_for(by, override=override)
    recheck([placement], terms=terms, now=now, own_holds=[hold.pk])


def _take_turns(hold: SlotHold) -> None:
    """Let one holder's requests, then one network's, follow each other until commit."""
    for name in filter(None, [f"{hold.purpose}:{hold.holder}", hold.network]):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _check_network(hold: SlotHold) -> None:
    """Raise TooManyHolds beyond five on one network; the holder's own, to be replaced, apart."""
    others = SlotHold.objects.live().filter(network=hold.network).exclude(holder=hold.holder)
    if others.count() >= MOST_PER_NETWORK:
        raise TooManyHolds


@in_one_transaction
def extend_hold(hold: SlotHold, *, now: datetime) -> SlotHold:
    """Return a live hold kept two minutes longer, at most ten times. Raises HoldExpired."""
    limit_waiting()
    longer = max(hold.expires_at, now) + EXTENSION
    changed = (
        SlotHold.objects.live()
        .filter(pk=hold.pk, extensions=hold.extensions, extensions__lt=MOST_EXTENSIONS)
        .update(expires_at=longer, extensions=hold.extensions + 1)
    )
    if not changed:
        raise HoldExpired
    extended = copy(hold)
    extended.expires_at, extended.extensions = longer, hold.extensions + 1
    longer_held = Flip(held=(flips.held(extended),), dropped=(hold.pk,))
    flips.after_commit({hold.provider_id: longer_held}, stamp=bump([hold.provider_id]))
    return extended


@in_one_transaction
def release_hold(hold: SlotHold) -> None:
    """Give a kept time back. One that is gone already stays gone."""
    limit_waiting()
    if SlotHold.objects.filter(pk=hold.pk).delete()[0]:
        dropped = Flip(dropped=(hold.pk,))
        flips.after_commit({hold.provider_id: dropped}, stamp=bump([hold.provider_id]))


def find_hold(pk: uuid.UUID, *, holder: str) -> SlotHold:
    """Return this holder's live hold; raises HoldExpired where there is none."""
    hold = (
        SlotHold.objects.live()
        .filter(pk=pk, holder=holder)
        .select_related("provider", "clinic", "visit_type", "patient")
        .first()
    )
    if hold is None:
        raise HoldExpired
    return hold


def sweep_expired() -> int:
    """Remove holds that ended an hour ago. Returns how many.

    They block nobody already; until then whoever comes back finds what they had typed.
    """
    return SlotHold.objects.filter(expires_at__lte=ClockTimestamp() - KEPT).delete()[0]


def consume(hold: SlotHold) -> None:
    """Use up a hold inside the transaction that books it. Raises HoldExpired once it has ended."""
    if not SlotHold.objects.live().filter(pk=hold.pk, holder=hold.holder).delete()[0]:
        raise HoldExpired


def keep_for_undo(appointment: Appointment, *, until: datetime) -> SlotHold:
    """Keep a cancelled visit's time while the cancellation can be undone."""
    return SlotHold.objects.create(
        provider_id=appointment.provider_id,
        clinic_id=appointment.clinic_id,
        visit_type_id=appointment.appointment_type_id,
        visit_start=appointment.scheduled_start,
        visit_end=appointment.scheduled_end,
        busy=appointment.busy,
        purpose=SlotHold.Purpose.UNDO,
        holder=f"undo:{appointment.pk}",
        appointment=appointment,
        expires_at=until,
    )


def end_undo(appointment: Appointment) -> None:
    """Stop keeping a cancelled visit's time; the caller bumps."""
    SlotHold.objects.filter(appointment=appointment, purpose=SlotHold.Purpose.UNDO).delete()
