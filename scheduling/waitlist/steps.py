"""What can be written of an opening, each a transaction of its own that holds wholly or not at all.

The rows that keep time come first, then the calendar's lock, then the opening, and only if it is as
it was seen; then offers and entries. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from django.db.models import F, QuerySet
from psycopg.types.range import Range

from patients.models.audit import Act
from patients.privacy import audit
from providers.calendars import bump
from providers.fields import ClockTimestamp, new_id
from scheduling import flips
from scheduling.actors import Actor, ActorKind
from scheduling.errors import Busy, SchedulingError
from scheduling.flips import Flip
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.placing import Terms, recheck
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.waitlist import contact
from scheduling.waitlist.candidates import Match
from scheduling.waitlist.keeping import HANDOVER, keep, let_go
from scheduling.waitlist.looking import Seen
from scheduling.waitlist.rests import rests_of
from scheduling.waitlist.tokens import digest_of

TERMS = Terms(on_grid=True, notice_and_horizon=False)
SYSTEM = Actor.system("waitlist")
OFFERED = WaitlistOffer.Status.OFFERED
RACES_LOST = {"offer_one_at_a_time", "offer_once_per_opening"}


class Overtaken(Exception):
    """Somebody else changed the opening, or what it is offered, since it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An offer to be made: until when it stands, and when somebody looks at the opening again."""

    match: Match
    expires_at: datetime
    look_again_at: datetime
    via: WaitlistOffer.Via = WaitlistOffer.Via.MESSAGE
    by: Actor = SYSTEM


def make(seen: Seen, plan: Plan, *, now: datetime) -> WaitlistOffer:
    """Write an offer, keep its time, and have it told. Raises Overtaken, or Busy."""
    try:
        return _make(seen, plan, now=now)
    except Busy:
        raise
    except SchedulingError as refusal:
        raise Overtaken from refusal
    except IntegrityError as error:
        diagnosis = getattr(error.__cause__, "diag", None)
        if getattr(diagnosis, "constraint_name", None) in RACES_LOST:
            raise Overtaken from error
        raise


@in_one_transaction
def _make(seen: Seen, plan: Plan, *, now: datetime) -> WaitlistOffer:
    limit_waiting()
    opening, place = seen.opening, plan.match.placement
    until = max([plan.expires_at, *(offer.expires_at for offer in seen.live)]) + HANDOVER
    hold = keep(opening, place, until=until, live=seen.live)
    _lock(seen, Flip(held=(flips.held(hold),), dropped=(hold.pk,)))
    recheck([place], terms=TERMS, now=now, own_holds=[hold.pk])
    rests = [] if seen.live else rests_of(opening, place.busy, now=now)
    narrowed = {} if seen.live else {"span": Range(place.busy.start, place.busy.end)}
    _turn(seen, next_at=plan.look_again_at, policy=seen.rule.pace.value, **narrowed)
    Opening.objects.bulk_create(rests)
    offer = _write(seen, plan, now=now)
    contact.announce([offer], now=now)
    return offer


def _write(seen: Seen, plan: Plan, *, now: datetime) -> WaitlistOffer:
    """Write the offer's row, if the entry still waits."""
    match, pk = plan.match, new_id()
    waiting = WaitlistEntry.objects.select_for_update(no_key=True).filter(
        pk=match.entry.pk, status=WaitlistEntry.Status.WAITING
    )
    if not waiting.values_list("pk", flat=True):
        raise Overtaken
    offer = WaitlistOffer(
        pk=pk,
        entry=match.entry,
        opening=seen.opening,
        visit_type=match.placement.visit_type,
        visit_start=match.placement.start,
        visit_end=match.placement.end,
        rank=match.rank,
        reasons=match.reasons,
        via=plan.via,
        by_id=plan.by.user_id,
        made_at=now,
        expires_at=plan.expires_at,
        token_digest=digest_of(pk),
    )
    WaitlistOffer.objects.bulk_create([offer])
    _record(offer, seen.opening, act=Act.CREATE, changes={"status": [None, OFFERED]}, by=plan.by)
    return offer


@in_one_transaction
def expire(seen: Seen, *, now: datetime) -> None:
    """Close the offers whose deadline has passed by the database's clock. Raises Overtaken, Busy.

    Their time stays kept for a moment, until it is offered to somebody else.
    """
    limit_waiting()
    _lock(seen, Flip())
    _turn(seen)
    _open(seen.over).filter(expires_at__lte=ClockTimestamp()).update(
        status=WaitlistOffer.Status.EXPIRED
    )


@in_one_transaction
def withdraw(
    seen: Seen, offers: Sequence[WaitlistOffer], *, by: Actor = SYSTEM, now: datetime
) -> None:
    """Let offers be GONE that stand; those of them that were answered meanwhile stay so.

    The opening is due at once. Raises Overtaken, or Busy.
    """
    limit_waiting()
    _lock(seen, Flip())
    _turn(seen, next_at=now)
    _gone(seen, offers, by=by)


@in_one_transaction
def end(seen: Seen, why: Opening.Ended, *, by: Actor = SYSTEM, now: datetime) -> None:
    """Close an opening for a reason: its offers are GONE, its time is everybody's again.

    Raises Overtaken, or Busy.
    """
    limit_waiting()
    _lock(seen, Flip(dropped=let_go(seen.opening.pk)))
    _turn(seen, state=Opening.State.CLOSED, ended=why, ended_at=now)
    _gone(seen, [offer for offer in seen.offers if offer.status == OFFERED], by=by)


@in_one_transaction
def rest(seen: Seen, *, until: datetime) -> None:
    """Look at an opening later, and keep its time no longer. Raises Overtaken, or Busy."""
    limit_waiting()
    _lock(seen, Flip(dropped=let_go(seen.opening.pk)))
    _turn(seen, next_at=until)


def sleep(seen: Seen, *, until: datetime) -> None:
    """Look at an opening later: nothing else changes, so nothing is locked. Raises Overtaken."""
    if not _as_seen(seen).update(next_at=until):
        raise Overtaken


def put_off(pk: UUID, *, until: datetime) -> None:
    """Look at an opening later that could not be advanced."""
    Opening.objects.filter(pk=pk, state=Opening.State.OPEN).update(next_at=until)


def _lock(seen: Seen, flip: Flip) -> None:
    """Take the one lock, by which all that happens to a provider's time follows each other."""
    provider = seen.opening.provider_id
    flips.after_commit({provider: flip}, stamp=bump([provider]))


def _turn(seen: Seen, **values: object) -> None:
    """Write what was decided, if the opening is as it was when it was decided."""
    if not _as_seen(seen).update(round=F("round") + 1, **values):
        raise Overtaken


def _as_seen(seen: Seen) -> QuerySet[Opening]:
    known = seen.opening
    return Opening.objects.filter(
        pk=known.pk, state=Opening.State.OPEN, round=known.round, next_at=known.next_at
    )


def _open(offers: Sequence[WaitlistOffer]) -> QuerySet[WaitlistOffer]:
    return WaitlistOffer.objects.filter(pk__in=[offer.pk for offer in offers], status=OFFERED)


def _gone(seen: Seen, offers: Sequence[WaitlistOffer], *, by: Actor) -> None:
    for offer in offers:
        if _open([offer]).update(status=WaitlistOffer.Status.GONE):
            record_gone(offer, seen.opening, by=by)


def record_gone(offer: WaitlistOffer, opening: Opening, *, by: Actor) -> None:
    """Write into the audit who took an offer back."""
    changes: dict[str, list[str | None]] = {"status": [OFFERED, WaitlistOffer.Status.GONE]}
    _record(offer, opening, act=Act.UPDATE, changes=changes, by=by)


def _record(
    offer: WaitlistOffer,
    opening: Opening,
    *,
    act: Act,
    changes: dict[str, list[str | None]],
    by: Actor,
) -> None:
    """Write into the audit what was done about whom."""
    row = audit.row_for(
        action=act,
        patients=[offer.entry.patient_id],
        model=WaitlistOffer,
        pk=offer.pk,
        fields=list(changes),
        by=by.user_id,
        system=f"system:{by.name}" if by.kind is ActorKind.SYSTEM else "",
    )
    audit.write(row | {"changes": changes, "clinic": str(opening.clinic_id), "repr": str(offer)})
