"""Sends one claimed delivery: judged once more, composed, begun, handed to the vendor, and what
came of it written down. Between the last two nothing happens but the vendor.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, prefetch_related_objects

from patients.models.audit import Act
from patients.privacy import audit
from reminders import claims
from reminders.channels import registry
from reminders.channels.base import ChannelError, Outgoing, Unsure, Way
from reminders.claims import Seen
from reminders.composing import ComposeRefused, compose
from reminders.gathering import SYSTEM, load
from reminders.judging import Judge, Row, patient_of
from reminders.kinds import Channel, NoticeKind, Standing, Why
from reminders.messages import Composed
from reminders.models import Delivery, Notice, Reminder
from reminders.otherwise import find_other_ways
from reminders.outcomes import Outcome, Pauses, forget_codes, not_sent, taken
from reminders.reach import ASKED_FOR, CONTACTS, Route

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
# The world may change again and again while a message is composed; after so often it waits.
TRIES = 3
SETTLE = timedelta(seconds=30)


@dataclass(slots=True)
class Claimed:
    """A delivery with the rows that it carries, and what judges them."""

    delivery: Delivery
    rows: list[Row]
    judge: Judge


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that may leave, and what it was made from."""

    route: Route
    message: Outgoing = field(repr=False)
    digest: bytes
    seen: Seen


def read(deliveries: Sequence[Delivery], *, now: datetime) -> list[Claimed]:
    """Read what claimed deliveries carry, in a constant number of statements."""
    planned = {"standing": Standing.TAKEN.value}
    prefetch_related_objects(
        deliveries,
        Prefetch("reminders", Reminder.objects.filter(**planned)),
        Prefetch("notices", Notice.objects.filter(**planned)),
    )
    carried = [[*one.reminders.all(), *one.notices.all()] for one in deliveries]
    rows = [row for some in carried for row in some]
    load(rows)
    judge = Judge(rows, now=now, counts_texts=False)
    return [Claimed(one, some, judge) for one, some in zip(deliveries, carried, strict=True)]


def send(claimed: Claimed, *, pauses: Pauses, clock: Clock) -> Outcome:
    """Bring one delivery to an end, or to a later time; its row is written before and after.

    No transaction is open while the vendor is spoken to. Raises what could not be foreseen; the
    claim then ends by itself.
    """
    delivery = claimed.delivery
    way = registry.way(Channel(delivery.channel))
    for _try in range(TRIES):
        begun = _begun(claimed, vendor=way.vendor, now=clock())
        if isinstance(begun, Outcome):
            return begun
        if begun is not None:
            return _speak(claimed, begun, way, pauses=pauses, clock=clock)
        if not claims.is_held(delivery):
            return Outcome.LOST
        [claimed] = read([Delivery.objects.get(pk=delivery.pk)], now=clock())
    claims.hand_back([delivery], not_before=clock() + SETTLE)
    return Outcome.LATER


def _speak(claimed: Claimed, ready: Ready, way: Way, *, pauses: Pauses, clock: Clock) -> Outcome:
    delivery = claimed.delivery
    delivery.attempts += 1
    try:
        receipt = way.send(ready.message)
    except ChannelError as error:
        told = error
    except Exception as error:  # what a way did not foresee says nothing about the message
        logger.exception("message perhaps sent", extra={"delivery": str(delivery.pk)})
        told = Unsure(type(error).__name__)
    else:
        return taken(delivery, receipt, claimed.rows, pauses=pauses, now=clock())
    return not_sent(delivery, told, ready.route, claimed.rows, pauses=pauses, now=clock())


def _begun(claimed: Claimed, *, vendor: str, now: datetime) -> Ready | Outcome | None:
    """Judge, compose and begin; None where the world has changed meanwhile.

    One row of the record is written of it: SEND in the statement that begins it, else ACCESS.
    """
    delivery = claimed.delivery
    with audit.keeping_record(system=SYSTEM, purpose="message", action=Act.SEND) as kept:
        kept.clinic = delivery.clinic_id
        if delivery.patient_id is not None:
            kept.look.patients.add(delivery.patient_id)
        ready = _made_ready(claimed, now=now)
        if isinstance(ready, Ready):
            kept.is_written = claims.begin(
                delivery,
                route=ready.route,
                vendor=vendor,
                digest=ready.digest,
                seen=ready.seen,
                record=audit.row_of(kept),
                now=now,
            )
        if not kept.is_written:
            kept.action = Act.ACCESS
    return None if isinstance(ready, Ready) and not kept.is_written else ready


def _made_ready(claimed: Claimed, *, now: datetime) -> Ready | Outcome | None:
    """Return the message, or what was written down instead; None if it has to be read again."""
    route = _judged(claimed, now=now)
    if not isinstance(route, Route):
        return route
    try:
        words = compose(claimed.delivery, language=_language(claimed.rows), now=now)
    except ComposeRefused as refusal:
        return _skip(claimed, [(row, refusal.why) for row in claimed.rows], now=now)
    return Ready(
        route=route,
        message=_outgoing(claimed.delivery, route, words),
        digest=sha256(words.text.encode()).digest(),
        seen=_seen(claimed, route),
    )


def _judged(claimed: Claimed, *, now: datetime) -> Route | Outcome | None:
    """Return the way by which it goes; None where a part of it has just been taken out."""
    claimed.judge.now = now
    verdicts = [(row, claimed.judge.verdict(row)) for row in claimed.rows]
    refused = [(row, verdict.why) for row, verdict in verdicts if verdict.why]
    if len(refused) == len(verdicts):
        return _skip(claimed, refused, now=now)
    if refused:
        _take_out(refused, now=now)
        return None
    waits = [verdict.until for _row, verdict in verdicts if verdict.until is not None]
    if waits:
        claims.hand_back([claimed.delivery], not_before=max(waits))
        return Outcome.LATER
    return verdicts[0][1].route


@transaction.atomic
def _skip(claimed: Claimed, refused: Sequence[tuple[Row, Why]], *, now: datetime) -> Outcome:
    """Send nothing: the delivery and its rows say why, and another way is looked for."""
    why = refused[0][1] if refused else Why.CANCELLED
    if not claims.skipped(claimed.delivery, why=why):
        return Outcome.LOST
    _take_out(refused, now=now)
    forget_codes(claimed.rows)
    return Outcome.SKIPPED


@transaction.atomic
def _take_out(refused: Sequence[tuple[Row, Why]], *, now: datetime) -> None:
    """Let a message go without some of its rows; they still name it, and say why."""
    for row, why in refused:
        row.standing, row.why = Standing.SKIPPED.value, why.value
        row.save(update_fields=["standing", "why"])
    find_other_ways(refused, now=now)


def _outgoing(delivery: Delivery, route: Route, words: Composed) -> Outgoing:
    device = route.device
    return Outgoing(
        to=route.to,
        text=words.text,
        marker=str(delivery.pk),
        subject=words.subject,
        url=words.url,
        p256dh=device.p256dh if device is not None else "",
        auth=device.auth if device is not None else "",
        unsubscribe_url=words.unsubscribe_url,
    )


def _seen(claimed: Claimed, route: Route) -> Seen:
    """Return what must still hold when the message leaves."""
    first = claimed.rows[0]
    patient = patient_of(first)
    is_on_file = patient is not None and route.holder == patient
    is_asked_for = route.channel == Channel.EMAIL and first.kind in ASKED_FOR
    chosen = claimed.judge.known.preferences.get(patient.pk) if patient is not None else None
    return Seen(
        visits={
            row.appointment.pk: row.appointment.version
            for row in claimed.rows
            if row.appointment is not None
        },
        offer=_offer(first),
        patient=None if patient is None else patient.pk,
        contact=CONTACTS[route.channel] if is_on_file else "",
        chosen=None if chosen is None else chosen.updated_at,
        refused=() if is_asked_for else route.indexes,
    )


def _offer(row: Row) -> UUID | None:
    """Return which offer a message makes; an answer to one goes whatever became of it."""
    return row.offer_id if isinstance(row, Notice) and row.kind == NoticeKind.OFFER else None


def _language(rows: Sequence[Row]) -> str:
    """Return what was asked for in the patient's own page, or else stands in their record."""
    first = rows[0]
    asked = first.language if isinstance(first, Notice) else ""
    patient = patient_of(first)
    return asked or (patient.language if patient is not None else "")
