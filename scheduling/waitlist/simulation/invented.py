"""A clinic that does not exist: what comes free in four weeks, and who waits, drawn from a seed.

All shares are assumptions, written down here. Refuses to know how time is offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from scheduling.quiet import Quiet
from scheduling.waitlist.pacing import Contact
from scheduling.waitlist.ranking import EVENING, NOON
from scheduling.waitlist.simulation.world import Behaviour, Person, Slot, World
from scheduling.waitlist.wanting import Wants

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONE = ZoneInfo("America/New_York")
CONTACT = Contact(ZONE, Quiet(time(21), time(8)))
MONDAY, WEEKS = date(2026, 6, 1), 4
PROVIDERS = ("A", "B", "C", "D", "E", "F")
SPECIALTIES = (("A", "B", "C"), ("D", "E", "F"))
LENGTHS = (20 * MINUTE, 40 * MINUTE)
FARTHEST = 90 * DAY
# What a type of visit and an entry have by default.
LEAD, NOTICE = 240 * MINUTE, 120 * MINUTE
OPENS, CLOSES = 8, 17
# When people cancel.
AWAKE = range(7, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """How long before its start time comes free: anything from `shortest` to `longest`.

    `far_share` of it comes free up to `farthest` ahead. Raises ValueError on bounds out of order.
    """

    shortest: timedelta = HOUR
    longest: timedelta = 48 * HOUR
    far_share: float = 0.25
    farthest: timedelta = 10 * DAY

    def __post_init__(self) -> None:
        if not MINUTE <= self.shortest <= self.longest <= self.farthest <= FARTHEST:
            raise ValueError("leads are in order, from a minute to ninety days")
        if not 0 <= self.far_share <= 1:
            raise ValueError("a share lies between 0 and 1")

    def drawn(self, draw: Random) -> timedelta:
        """Draw a lead in whole minutes."""
        if draw.random() < self.far_share:
            return draw.randint(self.longest // MINUTE, self.farthest // MINUTE) * MINUTE
        return draw.randint(self.shortest // MINUTE, self.longest // MINUTE) * MINUTE


def invented_world(
    seed: int,
    *,
    slots: int = 100,
    waiting: int = 200,
    leads: Leads | None = None,
    behaviour: Behaviour | None = None,
) -> World:
    """Return four weeks in which so many slots come free for so many people who wait in all."""
    draw = Random(f"world {seed}")  # noqa: S311 - an invented clinic
    leads = leads or Leads()
    free = [_slot(draw, f"slot {n}", leads) for n in range(slots)]
    people = [_person(draw, f"entry {n}") for n in range(waiting)]
    return World(zone=ZONE, slots=free, people=people, behaviour=behaviour or Behaviour())


def _slot(draw: Random, key: str, leads: Leads) -> Slot:
    """Let a visit in working hours be cancelled at a time at which people are awake."""
    length = draw.choice(LENGTHS)
    start = _working_time(draw, last=timedelta(hours=CLOSES) - length)
    lead = leads.drawn(draw)
    for _try in range(100):
        if (start - lead).astimezone(ZONE).hour in AWAKE:
            break
        lead = leads.drawn(draw)
    return Slot(
        key=key,
        provider=draw.choice(PROVIDERS),
        freed_at=start - lead,
        start=start,
        end=start + length,
    )


def _working_time(draw: Random, *, last: timedelta) -> datetime:
    """Return a start on a grid of twenty minutes, from Monday to Friday."""
    day = MONDAY + draw.randrange(WEEKS) * 7 * DAY + draw.randrange(5) * DAY
    step = 20 * MINUTE
    number = draw.randrange((last - timedelta(hours=OPENS)) // step + 1)
    wall = datetime.combine(day, time(OPENS)) + number * step
    return wall.replace(tzinfo=ZONE).astimezone(UTC)


def _person(draw: Random, entry: str) -> Person:
    """Let most have waited for a while when the weeks begin, and the others join in them."""
    monday = datetime.combine(MONDAY, time(9), ZONE).astimezone(UTC)
    return Person(
        entry=entry,
        since=monday + draw.uniform(-60, 20) * DAY,
        wants=_wants(draw),
        contact=CONTACT,
        providers=_providers(draw),
        length=draw.choice((LENGTHS[0], LENGTHS[0], LENGTHS[1])),
        lead=LEAD,
        is_urgent=draw.random() < 0.1,
        is_existing=draw.random() < 0.7,
    )


def _wants(draw: Random) -> Wants:
    """Half have a visit that they would give up for a sooner one; half say on which days."""
    weekdays = draw.sample(range(5), draw.choice((2, 3))) if draw.random() < 0.5 else []
    hours = ((None, None), (None, None), (None, None), (None, NOON), (NOON, EVENING))
    after, before = draw.choice(hours)
    later = None
    if draw.random() < 0.5:
        later = datetime.combine(MONDAY + draw.randrange(7, 50) * DAY, time(10), ZONE)
    return Wants(
        earliest=MONDAY + draw.choice((-14, -7, 0, 7)) * DAY,
        latest=MONDAY + draw.randrange(21, 90) * DAY if draw.random() < 0.3 else None,
        weekdays=frozenset(weekdays),
        after=after,
        before=before,
        notice=draw.choice((NOTICE, NOTICE, NOTICE, 24 * HOUR)),
        sooner_than=later,
    )


def _providers(draw: Random) -> frozenset[str]:
    """Let some wait for one provider, the others for anybody of a specialty."""
    if draw.random() < 0.6:
        return frozenset({draw.choice(PROVIDERS)})
    return frozenset(draw.choice(SPECIALTIES))
