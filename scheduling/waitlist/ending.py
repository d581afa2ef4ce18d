"""Ends a live offer that is not taken, and has the next one made at once.

Meanwhile the time stays kept for a moment, so that the public does not get in between. Refuses to
know who comes next. Rows only: each function runs in its caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q

from patients.models.audit import Act
from patients.privacy import audit
from providers.calendars import bump
from scheduling import flips
from scheduling.actors import Actor, ActorKind
from scheduling.errors import Busy
from scheduling.flips import Flip
from scheduling.models import Opening, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.openings import nudge
from scheduling.waitlist.keeping import HANDOVER, holder_of

R = TypeVar("R")
TRIES = 8
Status = WaitlistOffer.Status
ANSWERED = {Status.CLAIMED, Status.DECLINED}


class OfferedMeanwhile(Exception):
    """Something was offered to an entry after whatever it had been offered was dropped."""


def end_offer(offer: WaitlistOffer, *, status: str, by: Actor, now: datetime) -> bool:
    """Let a live offer end as DECLINED or GONE; False where it had ended before.

    The caller's transaction must not have locked a calendar, an opening or an entry yet.
    """
    opening = Opening.objects.only("provider").get(pk=offer.opening_id)
    hold = _locked_hold(opening)
    stamp = bump([opening.provider_id])
    has_ended = _close(offer, status=status, by=by, now=now)
    if has_ended:
        kept = hold and _hand_over(hold, opening, now=now)
        flip = Flip(held=(flips.held(kept),), dropped=(kept.pk,)) if kept else Flip()
        flips.after_commit({opening.provider_id: flip}, stamp=stamp)
        wake_after([offer.entry_id], now=now)
    return has_ended


def wake_after(entries: Collection[UUID], *, now: datetime) -> None:
    """Have time looked at, once this has committed, that may wait for one of these entries.

    Who was thinking about one time could not be asked about another. Not in the transaction, which
    would lock openings of several providers. A crash in between costs at most an hour.
    """
    transaction.on_commit(partial(_wake, tuple(entries), now), robust=True)
    nudge()


def _wake(entries: Collection[UUID], now: datetime) -> None:
    """Let openings be due that are offered to nobody, and might be to one of these entries."""
    waiting = WaitlistEntry.objects.filter(pk__in=entries, clinic=OuterRef("clinic"))
    wanted = Q(provider=OuterRef("provider"))
    wanted |= Q(provider=None, specialty=OuterRef("provider__specialty"))
    standing = WaitlistOffer.objects.filter(opening=OuterRef("pk"), status=Status.OFFERED)
    Opening.objects.filter(
        Exists(waiting.filter(wanted)), ~Exists(standing), state=Opening.State.OPEN, next_at__gt=now
    ).filter(Q(not_before=None) | Q(not_before__lte=now)).update(next_at=now)


def drop(entry: WaitlistEntry, *, by: Actor, now: datetime) -> None:
    """Decline whatever is offered to an entry that will not wait any longer.

    Comes first in the transaction in which the entry changes: calendars are locked before entries.
    """
    for offer in entry.offers.filter(status=Status.OFFERED).select_related("entry"):
        end_offer(offer, status=Status.DECLINED, by=by, now=now)


def check_dropped(entry: WaitlistEntry) -> None:
    """Look once more when the entry is locked, from when on nothing is offered to it.

    Raises OfferedMeanwhile, by which the caller's transaction is to be rolled back.
    """
    if entry.offers.filter(status=Status.OFFERED).exists():
        raise OfferedMeanwhile


def until_dropped(act: Callable[[], R]) -> R:
    """Do an act that drops offers, again if one was made in its course. Raises Busy."""
    for _try in range(TRIES):
        try:
            return act()
        except OfferedMeanwhile:
            continue
    raise Busy


def note(
    offer: WaitlistOffer, entry: WaitlistEntry, *, status: str, by: Actor, now: datetime
) -> None:
    """Write into the record how somebody answered, in the transaction in which it holds."""
    row = audit.row_for(
        action=Act.UPDATE,
        patients=[entry.patient_id],
        model=WaitlistOffer,
        pk=offer.pk,
        fields=["status"],
        by=by.user_id,
        system=f"system:{by.name or 'waitlist'}" if by.kind is ActorKind.SYSTEM else "",
    )
    changes = {"status": [Status.OFFERED.value, str(status)]}
    audit.write(row | {"changes": changes, "clinic": str(entry.clinic_id), "repr": str(offer)})


def _locked_hold(opening: Opening) -> SlotHold | None:
    """Return the hold that keeps an opening's time, locked before the calendar is."""
    rows = SlotHold.objects.live().select_for_update()
    return rows.filter(purpose=SlotHold.Purpose.OFFER, holder=holder_of(opening.pk)).first()


def _close(offer: WaitlistOffer, *, status: str, by: Actor, now: datetime) -> bool:
    """Write the end of an offer, if it is live, and that the opening is to be looked at now."""
    rows = Opening.objects.filter(pk=offer.opening_id, state=Opening.State.OPEN)
    rows.update(next_at=now, round=F("round") + 1)
    values: dict[str, Any] = {"status": status}
    if status in ANSWERED:
        values["answered_at"] = now
    ended = WaitlistOffer.objects.filter(pk=offer.pk, status=Status.OFFERED).update(**values)
    if ended and status in ANSWERED:
        note(offer, offer.entry, status=status, by=by, now=now)
    return bool(ended)


def _hand_over(hold: SlotHold, opening: Opening, *, now: datetime) -> SlotHold | None:
    """Keep the time as long as other offers of it stand, or else until the next one is made.

    None where the hold is gone: whoever replaced it meanwhile knew better.
    """
    live = WaitlistOffer.objects.filter(opening=opening, status=Status.OFFERED)
    last = live.aggregate(last=Max("expires_at"))["last"]
    hold.expires_at = max(now, last or now) + HANDOVER
    kept = SlotHold.objects.live().filter(pk=hold.pk).update(expires_at=hold.expires_at)
    return hold if kept else None
