"""Passes freed time on, step by step, until somebody has it or nobody is left.

Each step is one transaction that either holds wholly or did not happen, so that whoever dies in
between loses nothing: the opening is due again, and the next one to look goes on. What is done next
is `pacing`'s to say, to whom `candidates`'. How an offer is taken or declined is decided elsewhere.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from scheduling.errors import Busy
from scheduling.intervals import Interval
from scheduling.models import Opening, WaitlistOffer
from scheduling.openings import SHORTEST
from scheduling.waitlist import candidates, pacing, steps
from scheduling.waitlist.by_hand import offer_by_phone, withdraw, withdraw_offer
from scheduling.waitlist.candidates import Match
from scheduling.waitlist.fitting import Diary
from scheduling.waitlist.keeping import busy_of
from scheduling.waitlist.looking import Seen, look
from scheduling.waitlist.pacing import Candidate, Live, Pace
from scheduling.waitlist.steps import Overtaken, Plan
from scheduling.waitlist.telling import NO_WAY, Spoken, spoken_to

__all__ = ["advance", "advance_due", "offer_by_phone", "withdraw", "withdraw_offer"]

logger = logging.getLogger(__name__)

A_MOMENT, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# However long there is nothing to do, somebody looks again; sooner while an offer stands, as its
# time may have been taken from it.
LONGEST_SLEEP = HOUR
LONGEST_WITH_OFFERS = 5 * MINUTE
# Whoever keeps some of the time may give it back before their hold ends.
LOOK_AT_HOLDS = 5 * MINUTE
MOST_STEPS = 20
FIRST_FEW = 20
AT_ONCE = 50
SECONDS = 30.0
Ended = Opening.Ended


def advance(pk: UUID, *, now: datetime) -> Opening:
    """Do with an opening what is to be done now, and return it as it is then.

    One that is not OPEN stays as it is. Raises Busy where others change the same calendar for too
    long, and whatever a handler of offers raises, after which nothing of that step is written.
    """
    for _step in range(MOST_STEPS):
        seen = look(pk)
        if seen.opening.state != Opening.State.OPEN:
            return seen.opening
        try:
            if _is_done(seen, now=now):
                return Opening.objects.get(pk=pk)
        except Overtaken:
            continue
    logger.warning("opening changes all the time", extra={"opening": str(pk)})
    steps.put_off(pk, until=now + MINUTE)
    return Opening.objects.get(pk=pk)


def advance_due(*, now: datetime, seconds: float = SECONDS) -> dict[str, int]:
    """Advance every opening that is due, the longest due first, for so many seconds.

    One that fails is told to the log and tried again in a minute; it holds up no other. Returns
    how many were looked at, how many failed, and how many were `left` when the time was over.
    """
    ends_at, done = monotonic() + seconds, Counter(looked=0, failed=0, left=0)
    seen: set[UUID] = set()
    while due := _due(now, but=seen):
        for pk in due:
            if monotonic() >= ends_at:
                done["left"] = Opening.objects.filter(
                    state=Opening.State.OPEN, next_at__lte=now
                ).count()
                return dict(done)
            seen.add(pk)
            done["looked"] += 1
            done["failed"] += not _try(pk, now=now)
    return dict(done)


def _due(now: datetime, *, but: set[UUID]) -> list[UUID]:
    rows = Opening.objects.filter(state=Opening.State.OPEN, next_at__lte=now).exclude(pk__in=but)
    return list(rows.order_by("next_at", "pk").values_list("pk", flat=True)[:AT_ONCE])


def _try(pk: UUID, *, now: datetime) -> bool:
    """Advance one opening; say whether that went well."""
    try:
        advance(pk, now=now)
    except Busy:
        return True  # whoever is changing that calendar is done by the next minute
    except Exception:
        logger.exception("opening not advanced", extra={"opening": str(pk)})
        steps.put_off(pk, until=now + MINUTE)
        return False
    return True


def _is_done(seen: Seen, *, now: datetime) -> bool:
    """Take one step; say whether that was the last for now."""
    opening = seen.opening
    if opening.not_before is not None and opening.not_before > now:
        return _sleep(seen, opening.not_before, now=now)
    if seen.over:
        steps.expire(seen, now=now)
        return False
    diary = Diary(opening, own=seen.hold, clock=seen.clock, now=now)
    fallen = [offer for offer in seen.live if not _stands(offer, diary)]
    if fallen:
        steps.withdraw(seen, fallen, now=now)
        return False
    if not seen.live and (why := _why_end(seen, diary, now=now)) is not None:
        steps.end(seen, why, now=now)
        return True
    return _go_on(seen, diary, now=now)


def _stands(offer: WaitlistOffer, diary: Diary) -> bool:
    """Say whether a visit could still be booked as it was offered."""
    visit = Interval(offer.visit_start, offer.visit_end)
    return diary.stands(visit, busy_of(offer), offer.visit_type)


def _why_end(seen: Seen, diary: Diary, *, now: datetime) -> Opening.Ended | None:
    """Return why nothing of an opening can be offered to anybody, if that is so for good."""
    if seen.rule.pace is Pace.OFF:
        return Ended.SWITCHED_OFF
    if diary.span.end - now < SHORTEST:
        return Ended.TOO_LATE
    why = diary.why_not()
    return Ended(why) if why in (Ended.NOT_WORKED, Ended.BOOKED) else None


def _go_on(seen: Seen, diary: Diary, *, now: datetime) -> bool:
    """Make the next offer if it is time for it, or wait, or end where nobody is left."""
    step, ranked = _next_step(seen, diary, now=now)
    if isinstance(step, pacing.Wait):
        return _sleep(seen, step.until, now=now)
    if isinstance(step, pacing.Offer):
        match = next(each for each in ranked if each.entry.pk == step.candidate.entry)
        look_again_at = _bounded(step.look_again_at, has_offers=True, now=now)
        plan = Plan(match=match, expires_at=step.expires_at, look_again_at=look_again_at)
        steps.make(seen, plan, now=now)
        return True
    if diary.held_until is not None:
        return _sleep(seen, min(diary.held_until, now + LOOK_AT_HOLDS), now=now)
    steps.end(seen, Ended(step.why), now=now)
    return True


def _next_step(seen: Seen, diary: Diary, *, now: datetime) -> tuple[pacing.Step, Sequence[Match]]:
    """Return what the rule says, and whom it was asked about.

    The first who can be told is nearly always among the first few to whom not enough was said yet:
    only where none of those can, all are asked about.
    """
    waits = seen.live and seen.rule.pace is not Pace.OVERLAPPING
    ranked = [] if waits else candidates.in_order(seen.opening, diary, now=now)
    entries = [match.entry for match in ranked]
    spoken = spoken_to(seen.opening, entries, rule=seen.rule, now=now)
    few = [match for match in ranked if spoken.is_free(match.entry)][:FIRST_FEW]
    step = _asked(seen, few, spoken, now=now)
    if isinstance(step, pacing.Offer) or len(few) == len(ranked):
        return step, few
    return _asked(seen, ranked, spoken, now=now), ranked


def _asked(seen: Seen, some: Sequence[Match], spoken: Spoken, *, now: datetime) -> pacing.Step:
    opening = seen.opening
    asked = candidates.ask(opening, some, spoken, now=now)
    return pacing.next_step(
        seen.rule,
        ranked=[_candidate(match) for match in asked if match.why_not != NO_WAY],
        live=[Live(offer.entry_id, offer.expires_at) for offer in seen.live],
        offered_at=seen.last_made_at,
        opened_at=max(opening.created_at, opening.not_before or opening.created_at),
        now=now,
    )


def _candidate(match: Match) -> Candidate:
    if match.contact is None:
        raise ValueError("nobody asked how they can be told")
    return Candidate(
        entry=match.entry.pk,
        start=match.placement.start,
        last_moment=match.last_moment,
        contact=match.contact,
        not_before=match.not_before,
    )


def _sleep(seen: Seen, until: datetime, *, now: datetime) -> bool:
    """Look again at an instant; meanwhile nobody's offer keeps time that nobody is offered."""
    until = _bounded(until, has_offers=bool(seen.live), now=now)
    if seen.hold is not None and not seen.live:
        steps.rest(seen, until=until)
    else:
        steps.sleep(seen, until=until)
    return True


def _bounded(until: datetime, *, has_offers: bool, now: datetime) -> datetime:
    longest = LONGEST_WITH_OFFERS if has_offers else LONGEST_SLEEP
    return min(max(until, now + A_MOMENT), now + longest)
