"""Worlds of a few slots and a few people, in which everybody's answer is known beforehand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scheduling.quiet import Quiet
from scheduling.waitlist.pacing import Contact, Pace, Rule
from scheduling.waitlist.simulation import Behaviour, Person, Slot, World
from scheduling.waitlist.wanting import Wants

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BY_DAY = Contact(NEW_YORK, Quiet(time(21), time(8)))
SEQUENTIAL, OVERLAPPING = Rule(pace=Pace.SEQUENTIAL), Rule(pace=Pace.OVERLAPPING)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


FREED = new_york("2026-06-09T09:00")
ANYTHING = Wants(
    earliest=date(2026, 6, 1),
    latest=None,
    weekdays=frozenset(),
    after=None,
    before=None,
    notice=timedelta(0),
    sooner_than=None,
)


def slot(
    key: str = "slot", *, freed_at: datetime = FREED, ahead: timedelta = DAY, provider: str = "A"
) -> Slot:
    start = freed_at + ahead
    return Slot(key=key, provider=provider, freed_at=freed_at, start=start, end=start + 20 * MINUTE)


def person(entry: str, *, days: int = 1, wants: Wants = ANYTHING, **values: Any) -> Person:
    """Let somebody have waited for provider A for so many days."""
    known: dict[str, Any] = {
        "since": FREED - days * DAY,
        "contact": BY_DAY,
        "providers": frozenset("A"),
        "length": 20 * MINUTE,
    }
    return Person(entry=entry, wants=wants, **(known | values))


def people(count: int) -> list[Person]:
    """Return so many who want anything, the first of whom has waited longest."""
    return [person(f"entry {n:02}", days=count - n) for n in range(count)]


def who_sees(later: datetime) -> Wants:
    """Return the wants of somebody who has a visit then."""
    return replace(ANYTHING, sooner_than=later)


def answers(acceptance: float, *, after: timedelta = 45 * MINUTE, declines: float = 0) -> Behaviour:
    """Let everybody answer after the same time."""
    return Behaviour(acceptance=acceptance, declines=declines, median_answer=after, sigma=0)


def world(slots: list[Slot], waiting: list[Person], behaviour: Behaviour) -> World:
    return World(zone=NEW_YORK, slots=slots, people=waiting, behaviour=behaviour)
