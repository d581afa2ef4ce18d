"""Looks for messages of which nobody knows whether the vendor took them.

One that the vendor certainly never had is queued again; one that is found was sent; of any other
staff are told, and it is never sent again by itself.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects

from patients.models.audit import Act
from patients.privacy import audit
from reminders import claims
from reminders.calls import open_call
from reminders.channels import registry
from reminders.channels.base import CannotLook, Receipt
from reminders.judging import Row
from reminders.kinds import CallReason, Channel, Standing, State, Why
from reminders.models import Delivery, Notice, Reminder
from reminders.offers import note_sent
from reminders.otherwise import after_failure
from reminders.outcomes import SYSTEM, forget_codes
from reminders.reach import CONTACTS, Route, way_of_code

logger = logging.getLogger(__name__)

# A vendor that has not listed a message by its second look has none. The second is later than any
# worker could still be speaking, which the lease of SENDING bounds.
BETWEEN_LOOKS = timedelta(minutes=2)
NOT_LISTED = "not listed"
# After that staff are told.
RAISED_AFTER = timedelta(minutes=10)
# The vendor is asked for messages since a little before: its clock may differ from ours.
CLOCKS_DIFFER = timedelta(minutes=5)
MOST = 1_000
SECONDS = 30.0


def settle(*, now: datetime) -> dict[str, int]:
    """Look for every message that is UNKNOWN and due a look; return how many ended how.

    The oldest first. What there is no time to look for until it is too old is raised at once.
    """
    ends_at = monotonic() + SECONDS
    counts: Counter[str] = Counter()
    waiting = Delivery.objects.filter(
        state=State.UNKNOWN.value, raised_at=None, not_before__lte=now
    ).order_by("sending_at", "pk")
    for key in list(waiting.values_list("pk", flat=True)[:MOST]):
        delivery = waiting.filter(pk=key).first()
        if delivery is not None:
            has_time = monotonic() < ends_at
            counts[_settle(delivery, may_look=has_time, now=now)] += 1
    return dict(counts)


def _settle(delivery: Delivery, *, may_look: bool, now: datetime) -> str:
    """Look for one message, with a row of the record of it; return what came of it."""
    is_old = delivery.sending_at is None or now >= delivery.sending_at + RAISED_AFTER
    if not may_look:
        return _raise(delivery, now=now) if is_old else "waiting"
    with audit.keeping_record(system=SYSTEM, purpose="message", action=Act.ACCESS) as kept:
        kept.clinic = delivery.clinic_id
        if delivery.patient_id is not None:
            kept.look.patients.add(delivery.patient_id)
        try:
            receipt = _look(delivery)
        except CannotLook as reason:
            logger.info("not found out", extra={"delivery": str(delivery.pk), "code": reason.code})
            return _raise(delivery, now=now) if is_old else _look_later(delivery, "", now=now)
    if receipt is not None:
        return _found(delivery, receipt, now=now)
    if delivery.vendor_status != NOT_LISTED:
        return _look_later(delivery, NOT_LISTED, now=now)
    return "queued" if _queue_again(delivery, now=now) else "changed"


def _look(delivery: Delivery) -> Receipt | None:
    """Ask the vendor for the message. Raises CannotLook, also where its recipient is not known."""
    channel = Channel(delivery.channel)
    way = registry.way(channel)
    if way.vendor != delivery.vendor or delivery.sending_at is None:
        raise CannotLook("other vendor")
    return way.find(
        to=_recipient(delivery),
        digest=bytes(delivery.body_digest),
        since=delivery.sending_at - CLOCKS_DIFFER,
    )


def _recipient(delivery: Delivery) -> str:
    """Return the contact to which it went, if that is still on file. Raises CannotLook."""
    for route in _routes(delivery):
        if bytes(delivery.recipient_index) in route.indexes:
            return route.to
    raise CannotLook("recipient changed")


def _routes(delivery: Delivery) -> list[Route]:
    channel = Channel(delivery.channel)
    if channel not in CONTACTS:
        raise CannotLook("no list")
    column = CONTACTS[channel]
    found = []
    patient = delivery.patient
    if patient is not None:
        index = bytes(getattr(patient, f"{column}_index"))
        found.append(Route(channel, index, patient, column))
    for row in Notice.objects.filter(delivery=delivery).select_related("code"):
        route = way_of_code(row.code, channel) if row.code is not None else None
        if isinstance(route, Route):
            found.append(route)
    return [route for route in found if route.index]


def _look_later(delivery: Delivery, seen: str, *, now: datetime) -> str:
    _unknown(delivery, not_before=now + BETWEEN_LOOKS, vendor_status=seen)
    return "waiting"


@transaction.atomic
def _found(delivery: Delivery, receipt: Receipt, *, now: datetime) -> str:
    """Write that it was sent after all, or that the vendor took it and could not deliver it."""
    rows = _rows(delivery)
    if receipt.state == State.FAILED:
        end = {"state": State.FAILED.value, "why": Why.UNDELIVERED.value}
        if not _unknown(delivery, vendor_id=receipt.vendor_id, **end):
            return "changed"
        after_failure(rows, now=now)
    else:
        if not claims.sent(delivery, receipt, now=now):
            return "changed"
        note_sent(rows, at=now)
    forget_codes(rows)
    return "found"


def _queue_again(delivery: Delivery, *, now: datetime) -> bool:
    """Let a message go that the vendor twice said it never had."""
    return _unknown(
        delivery, state=State.QUEUED.value, not_before=now, vendor_status="", body_digest=b""
    )


@transaction.atomic
def _raise(delivery: Delivery, *, now: datetime) -> str:
    """Tell staff that nobody knows; the message stays UNKNOWN until a report says more."""
    if not _unknown(delivery, raised_at=now):
        return "changed"
    rows = _rows(delivery)
    for row in rows:
        if row.appointment is not None:
            open_call(appointment=row.appointment, reason=CallReason.UNSURE, now=now)
    forget_codes(rows)
    return "raised"


def _unknown(delivery: Delivery, **values: object) -> bool:
    """Change a delivery that is UNKNOWN still, as it was read."""
    rows = Delivery.objects.filter(
        pk=delivery.pk, fence=delivery.fence, state=State.UNKNOWN.value, raised_at=None
    )
    return bool(rows.update(**values))


def _rows(delivery: Delivery) -> list[Row]:
    taken = {"standing": Standing.TAKEN.value}
    prefetch_related_objects(
        [delivery],
        Prefetch("reminders", Reminder.objects.filter(**taken).select_related("appointment")),
        Prefetch("notices", Notice.objects.filter(**taken).select_related("appointment", "code")),
    )
    return [*delivery.reminders.all(), *delivery.notices.all()]
