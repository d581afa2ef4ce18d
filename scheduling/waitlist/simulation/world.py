"""What a simulation is of: time that comes free, people who wait, and how people answer.

Data only, the same for every rule that is tried on it. Decides nothing about who is offered what.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from math import exp
from random import Random
from zoneinfo import ZoneInfo

from scheduling.waitlist import ranking, wanting
from scheduling.waitlist.pacing import Candidate, Contact
from scheduling.waitlist.ranking import Waiting
from scheduling.waitlist.wanting import Wants

NOTHING, WEEK, YEAR = timedelta(0), timedelta(days=7), timedelta(days=365)
WIDEST = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A provider's time from `start` to `end`, buffers included, that comes free at `freed_at`."""

    key: str
    provider: Hashable
    freed_at: datetime
    start: datetime
    end: datetime

    @property
    def lead(self) -> timedelta:
        """How long before its start it came free."""
        return self.start - self.freed_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on the waitlist from `since` until `leaves`, or until they have a visit.

    They see any of `providers`, for `length` and a buffer on either side. `lead` is how long before
    a visit of its type offers must have ended; `notice` of `wants` is how long they need.
    """

    entry: str
    since: datetime
    wants: Wants
    contact: Contact
    providers: frozenset[Hashable]
    length: timedelta
    buffer_before: timedelta = NOTHING
    buffer_after: timedelta = NOTHING
    lead: timedelta = NOTHING
    is_urgent: bool = False
    is_existing: bool = True
    leaves: datetime | None = None

    @property
    def waiting(self) -> Waiting:
        """What the order of offers looks at."""
        return Waiting(
            entry=self.entry,
            is_urgent=self.is_urgent,
            is_existing=self.is_existing,
            since=self.since,
        )

    def start_in(self, slot: Slot) -> datetime:
        return slot.start + self.buffer_before

    def last_moment(self, slot: Slot) -> datetime:
        """Return when an offer of this slot must have ended."""
        return self.start_in(slot) - max(self.lead, self.wants.notice)

    def would_take(self, slot: Slot, *, zone: ZoneInfo, now: datetime) -> bool:
        """Say whether their visit lies in the slot and is one that they would take."""
        start = self.start_in(slot)
        end = start + self.length
        if slot.provider not in self.providers or end + self.buffer_after > slot.end:
            return False
        return wanting.takes(self.wants, start=start, end=end, zone=zone, now=now)

    def days_gained(self, slot: Slot, zone: ZoneInfo) -> int | None:
        """Return by how many days the slot is sooner than the visit they have, if they have one."""
        later = self.wants.sooner_than
        if later is None:
            return None
        first = self.start_in(slot).astimezone(zone).date()
        return (later.astimezone(zone).date() - first).days


class Says(StrEnum):
    """Whether an offer is taken."""

    YES = "YES"
    NO = "NO"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody does with one offer after a while: says yes or no, or nothing at all."""

    says: Says
    after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How people answer: `acceptance` of them say yes, `declines` of the others say no.

    The time until then is lognormal about `median_answer`; `sigma` is its spread in logarithms.
    Raises ValueError on a share that is none, and on a median or spread out of bounds.
    """

    acceptance: float = 0.11
    declines: float = 0.3
    median_answer: timedelta = timedelta(minutes=45)
    sigma: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.acceptance <= 1 and 0 <= self.declines <= 1):
            raise ValueError("a share lies between 0 and 1")
        if not (NOTHING < self.median_answer <= WEEK and 0 <= self.sigma <= WIDEST):
            raise ValueError("an answer takes some time, a week at most, its spread 3 at most")

    def answer(self, seed: int, slot: str, entry: str) -> Answer:
        """Return what this entry does when offered this slot: always the same for one seed."""
        draw = Random(f"{seed} {slot} {entry}")  # noqa: S311 - invented answers
        chance, other = draw.random(), draw.random()
        after = min(self.median_answer * exp(draw.gauss(0.0, self.sigma)), YEAR)
        if chance < self.acceptance:
            return Answer(Says.YES, after)
        return Answer(Says.NO if other < self.declines else Says.NOTHING, after)


@dataclass(frozen=True, slots=True)
class Taker:
    """Somebody who would take a slot from `since` on; they may join after it came free."""

    candidate: Candidate
    since: datetime
    leaves: datetime | None


@dataclass(frozen=True, kw_only=True)
class World:
    """What comes free at a clinic in `zone`, and who waits there."""

    zone: ZoneInfo
    slots: Sequence[Slot]
    people: Sequence[Person]
    behaviour: Behaviour = field(default_factory=Behaviour)

    @cached_property
    def takers(self) -> dict[str, list[Taker]]:
        """Who would take each slot, in the product's order: the same however it is offered.

        How soon somebody wants to know is looked at when the slot comes free or they join; later
        their last moment says it.
        """
        by_provider: dict[Hashable, list[Person]] = {}
        for person in ranking.rank(self.people, key=lambda each: each.waiting):
            for provider in person.providers:
                by_provider.setdefault(provider, []).append(person)
        return {slot.key: self._takers(slot, by_provider) for slot in self.slots}

    def _takers(self, slot: Slot, by_provider: dict[Hashable, list[Person]]) -> list[Taker]:
        found = []
        for person in by_provider.get(slot.provider, ()):
            since = max(slot.freed_at, person.since)
            is_there = person.leaves is None or person.leaves > since
            if is_there and person.would_take(slot, zone=self.zone, now=since):
                start, last = person.start_in(slot), person.last_moment(slot)
                candidate = Candidate(person.entry, start, last, person.contact)
                found.append(Taker(candidate, since, person.leaves))
        return found
