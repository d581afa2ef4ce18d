"""Plays a world through under a rule, on a clock of its own.

Who takes what is asked of the product's own `wanting`, in what order of `ranking`, and to whom it
is offered until when of `pacing`: no rule of theirs is written here again. What a shorter visit
leaves of a slot is not offered once more, and nobody but the waitlist books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from scheduling.waitlist import pacing
from scheduling.waitlist.offering import LONGEST_SLEEP
from scheduling.waitlist.pacing import Candidate, Live, Offer, Pace, Rule, Wait
from scheduling.waitlist.simulation.outcomes import Fate, Outcome
from scheduling.waitlist.simulation.world import Answer, Says, Slot, Taker, World
from scheduling.waitlist.telling import A_MOMENT

DAY = timedelta(days=1)


def simulate(world: World, rule: Rule, *, seed: int) -> Outcome:
    """Return what comes of a world's slots under a rule; the same seed answers the same."""
    run = _Run(world, rule, seed)
    run.play()
    return Outcome([chain.fate() for chain in run.chains])


@dataclass(slots=True)
class _Chain:
    """A slot and what became of it so far. `waiting` were not offered it yet, best first."""

    slot: Slot
    waiting: dict[str, Taker]
    live: dict[str, Live] = field(default_factory=dict)
    offered_at: datetime | None = None
    looks: int = 0
    is_open: bool = True
    filled_by: str | None = None
    days_gained: int | None = None
    told: Counter[str] = field(default_factory=Counter)

    def fate(self) -> Fate:
        return Fate(
            slot=self.slot.key,
            lead=self.slot.lead,
            offers=self.told["offers"],
            is_filled=self.filled_by is not None,
            gone=self.told["gone"],
            too_late=self.told["too late"],
            days_gained=self.days_gained,
        )


class _Run:
    """One world under one rule."""

    def __init__(self, world: World, rule: Rule, seed: int) -> None:
        self.world, self.rule, self.seed = world, rule, seed
        self.people = {each.entry: each for each in world.people}
        self.chains = [_Chain(slot, _in_order(world.takers[slot.key])) for slot in world.slots]
        self.busy: dict[str, Live] = {}
        self.seen: set[str] = set()  # who has a visit by now
        self.told: Counter[tuple[str, date]] = Counter()
        self.heap: list[tuple[datetime, int, partial[None]]] = []
        self.order = count()

    def play(self) -> None:
        for chain in self.chains:
            joins = {taker.since for taker in chain.waiting.values()}
            for at in sorted(joins | {chain.slot.freed_at}):
                self._at(at, partial(self._wake, chain))
        while self.heap:
            now, _order, act = heappop(self.heap)
            act(now)

    def _at(self, at: datetime, act: partial[None]) -> None:
        heappush(self.heap, (at, next(self.order), act))

    def _wake(self, chain: _Chain, now: datetime) -> None:
        """Look at a slot that has just come free, or that somebody has just joined for."""
        if chain.is_open:
            self._advance(chain, now)

    def _look(self, chain: _Chain, number: int, now: datetime) -> None:
        if chain.is_open and number == chain.looks:
            self._advance(chain, now)

    def _advance(self, chain: _Chain, now: datetime) -> None:
        """Close what is over and take the next step, as the product does with an opening."""
        for entry in [e for e, offer in chain.live.items() if offer.expires_at <= now]:
            self._close(chain, entry)
        step = self._next(chain, now)
        if isinstance(step, Offer):
            self._offer(chain, step, now)
            self._look_at(chain, step.look_again_at, now)
        elif isinstance(step, Wait):
            self._look_at(chain, step.until, now)
        else:
            chain.is_open = False

    def _next(self, chain: _Chain, now: datetime) -> pacing.Step:
        return pacing.next_step(
            self.rule,
            ranked=list(self._ranked(chain, now)),
            live=list(chain.live.values()),
            offered_at=chain.offered_at,
            opened_at=chain.slot.freed_at,
            now=now,
        )

    def _ranked(self, chain: _Chain, now: datetime) -> Iterable[Candidate]:
        """Yield who is still waiting, with when they can be told where that is not now."""
        if chain.live and self.rule.pace is not Pace.OVERLAPPING:
            return
        today = now.astimezone(self.world.zone).date()
        tomorrow = datetime.combine(today + DAY, time.min, self.world.zone)
        for entry, taker in chain.waiting.items():
            is_gone = taker.leaves is not None and taker.leaves <= now
            if entry in self.seen or taker.since > now or is_gone:
                continue
            if self.told[entry, today] >= self.rule.most_a_day:
                yield replace(taker.candidate, not_before=tomorrow)
            elif elsewhere := self.busy.get(entry):
                ends = max(elsewhere.expires_at, now + A_MOMENT)
                yield replace(taker.candidate, not_before=ends)
            else:
                yield taker.candidate

    def _look_at(self, chain: _Chain, at: datetime, now: datetime) -> None:
        chain.looks += 1
        at = min(at, now + LONGEST_SLEEP)
        self._at(at, partial(self._look, chain, chain.looks))

    def _offer(self, chain: _Chain, step: Offer, now: datetime) -> None:
        entry = str(step.candidate.entry)
        del chain.waiting[entry]
        chain.live[entry] = self.busy[entry] = Live(entry, step.expires_at)
        chain.offered_at = now
        chain.told["offers"] += 1
        self.told[entry, now.astimezone(self.world.zone).date()] += 1
        answer = self.world.behaviour.answer(self.seed, chain.slot.key, entry)
        if answer.says is not Says.NOTHING:
            self._at(now + answer.after, partial(self._hear, chain, entry, step, answer))

    def _hear(self, chain: _Chain, entry: str, step: Offer, answer: Answer, now: datetime) -> None:
        if entry in chain.live and now < step.expires_at:
            self._close(chain, entry)
            if answer.says is Says.YES:
                self._fill(chain, entry)
            else:
                self._advance(chain, now)
        elif answer.says is Says.YES:
            is_late = now >= step.expires_at
            chain.told["too late" if is_late else "gone"] += 1

    def _fill(self, chain: _Chain, entry: str) -> None:
        """Give the slot to who was first; the others keep their place."""
        person = self.people[entry]
        chain.is_open, chain.filled_by = False, entry
        chain.days_gained = person.days_gained(chain.slot, self.world.zone)
        self.seen.add(entry)
        for other in list(chain.live):
            self._close(chain, other)

    def _close(self, chain: _Chain, entry: str) -> None:
        del chain.live[entry]
        del self.busy[entry]


def _in_order(takers: Iterable[Taker]) -> dict[str, Taker]:
    return {str(taker.candidate.entry): taker for taker in takers}
