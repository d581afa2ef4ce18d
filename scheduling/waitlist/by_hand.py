"""What the desk does with freed time: offer it on the phone, take an offer back, offer it no more.

Whoever is at the desk chooses whom; that the time is free, and whose turn a message gave it to, is
asked here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from scheduling.actors import Actor
from scheduling.errors import Busy
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.transactions import in_one_transaction, limit_waiting
from scheduling.waitlist import candidates, steps
from scheduling.waitlist.candidates import Match
from scheduling.waitlist.ending import end_offer
from scheduling.waitlist.errors import GapTaken, OfferedAlready, OfferEnded, SuitsNoMore
from scheduling.waitlist.looking import Seen, look
from scheduling.waitlist.pacing import Pace
from scheduling.waitlist.steps import Overtaken, Plan
from scheduling.waitlist.telling import ELSEWHERE

MINUTE = timedelta(minutes=1)
TRIES = 8
R = TypeVar("R")


def offer_by_phone(
    *,
    opening: Opening,
    entry: WaitlistEntry,
    minutes: int = 10,
    by: Actor,
    now: datetime,
) -> WaitlistOffer:
    """Keep a gap for somebody who is on the phone, for so many minutes; no message goes.

    Neither quiet hours nor caps nor the lead of messages bind a call. Raises GapTaken where it is
    offered to somebody else, taken or closed, SuitsNoMore where this entry's visit does not fit it,
    OfferedAlready where the patient had an offer of it or is thinking about another, or Busy.
    """

    def call(seen: Seen) -> WaitlistOffer:
        _check_free(seen)
        match = _match(seen, entry, now=now)
        ends = min(now + minutes * MINUTE, match.placement.start)
        plan = Plan(
            match=match,
            expires_at=ends,
            look_again_at=ends,
            via=WaitlistOffer.Via.PHONE,
            by=by,
        )
        return steps.make(seen, plan, now=now)

    return _tried(opening, call)


def withdraw(*, opening: Opening, by: Actor, now: datetime) -> Opening:
    """Offer a gap to nobody any more: its offers are GONE, and its time is everybody's.

    One that has ended stays as it ended. Raises Busy.
    """

    def close(seen: Seen) -> Opening:
        if seen.opening.state == Opening.State.OPEN:
            steps.end(seen, Opening.Ended.WITHDRAWN, by=by, now=now)
        return Opening.objects.get(pk=opening.pk)

    return _tried(opening, close)


def withdraw_offer(*, offer: WaitlistOffer, by: Actor, now: datetime) -> WaitlistOffer:
    """Take one offer back: it is GONE, and the next patient's turn has come.

    One that is over stays as it ended. Raises OfferEnded where it was taken, or Busy.
    """
    known = _take_back(offer, by=by, now=now)
    if known.status == WaitlistOffer.Status.CLAIMED:
        raise OfferEnded(status=known.status)
    return known


@in_one_transaction
def _take_back(offer: WaitlistOffer, *, by: Actor, now: datetime) -> WaitlistOffer:
    limit_waiting()
    has_ended = end_offer(offer, status=WaitlistOffer.Status.GONE, by=by, now=now)
    known = WaitlistOffer.objects.select_related("entry", "opening").get(pk=offer.pk)
    if has_ended:
        steps.record_gone(known, known.opening, by=by)
    return known


def _tried(opening: Opening, act: Callable[[Seen], R]) -> R:
    """Do something with an opening as it is, again if somebody changes it at the same moment."""
    for _try in range(TRIES):
        try:
            return act(look(opening.pk))
        except Overtaken:
            continue
    raise Busy


def _check_free(seen: Seen) -> None:
    if seen.opening.state != Opening.State.OPEN:
        raise GapTaken
    if seen.live and seen.rule.pace is not Pace.OVERLAPPING:
        raise GapTaken


def _match(seen: Seen, entry: WaitlistEntry, *, now: datetime) -> Match:
    """Return where this entry's visit fits. Raises SuitsNoMore, OfferedAlready or GapTaken."""
    found = candidates.matches(seen.opening, now=now, all_=True, rule=seen.rule)
    match = next((each for each in found if each.entry.pk == entry.pk), None)
    if match is None:
        diary = candidates.diary_of(seen.opening, now=now)
        raise SuitsNoMore if diary.why_not() is None else GapTaken
    if match.rank == 0 or match.why_not == ELSEWHERE:
        raise OfferedAlready
    return match
