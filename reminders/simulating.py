"""Tries both ways of offering on what came free at a clinic, or on an invented one, for a page.

A page is not waited for long: runs end when their time is over, and what was found is kept for ten
minutes. Figures only: no entry and no opening is named in what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from time import monotonic

from django.core.cache import cache
from django.db.models import QuerySet
from django.utils.translation import get_language

from providers.models import Clinic
from scheduling.models import Opening
from scheduling.waitlist.pacing import Pace, Rule
from scheduling.waitlist.policies import rule_for
from scheduling.waitlist.simulation import (
    Behaviour,
    Figure,
    Recommendation,
    Summary,
    World,
    compare,
    invented_world,
    recommend,
    world_of_history,
)
from scheduling.waitlist.simulation.outcomes import figure

LOOKED_BACK = timedelta(days=90)
MOST_SLOTS = 300
ENOUGH = 11
SECONDS = 2.0
KEPT = timedelta(minutes=10)
# By how long before its start time came free: from the end of the band before to this one.
BANDS = (timedelta(hours=4), timedelta(hours=24), timedelta(hours=48), timedelta.max)
PACES = (Pace.SEQUENTIAL, Pace.OVERLAPPING)


class Source(StrEnum):
    """What is played through."""

    HISTORY = "history"
    INVENTED = "invented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`acceptance` is a share, `median_answer` in minutes; an invented clinic has so many `slots`
    and so many who are `waiting`. Of the `runs` asked for, fewer may be done."""

    source: Source
    acceptance: float = 0.11
    median_answer: int = 45
    runs: int = 10
    slots: int = 100
    waiting: int = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """What one way came to; `by_lead` are shares filled, in the order of BANDS."""

    pace: Pace
    fill: Figure | None
    fill_soon: Figure | None
    gone: Figure | None
    offers_per_fill: Figure | None
    days_gained: Figure | None
    by_lead: list[Figure | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What both ways came to in as many `runs` as there was time for, of `slots` each."""

    tried: list[Tried]
    slots: int
    runs: int
    advice: Recommendation


def usual_source(clinic: Clinic, *, now: datetime) -> Source:
    """Return the clinic's own past, unless too little came free in it."""
    some = _freed(clinic, now)[:ENOUGH].count()
    return Source.HISTORY if some == ENOUGH else Source.INVENTED


def ask(clinic: Clinic, question: Question, *, now: datetime) -> Answer:
    """Return what was found for the same question in the last ten minutes, or find it now."""
    rule = rule_for(clinic=clinic.pk, visit_type=None)
    told = [str(clinic.pk), asdict(question), asdict(rule), get_language()]
    key = f"waitlist-simulation:1:{sha256(repr(told).encode()).hexdigest()}"
    found: Answer | None = cache.get(key)
    if found is None:
        found = _found(_worlds(clinic, question, now), rule, question.runs)
        cache.set(key, found, KEPT.total_seconds())
    return found


def _worlds(clinic: Clinic, question: Question, now: datetime) -> Callable[[int], World]:
    behaviour = Behaviour(
        acceptance=question.acceptance, median_answer=timedelta(minutes=question.median_answer)
    )
    if question.source is Source.HISTORY:
        world = world_of_history(clinic, since=_since(clinic, now), behaviour=behaviour, now=now)
        return lambda _seed: world
    return lambda seed: invented_world(
        seed, slots=question.slots, waiting=question.waiting, behaviour=behaviour
    )


def _freed(clinic: Clinic, now: datetime) -> QuerySet[Opening]:
    return Opening.objects.filter(clinic=clinic, created_at__gte=now - LOOKED_BACK)


def _since(clinic: Clinic, now: datetime) -> datetime:
    """Return when the last 300 times began to come free, at most 90 days ago."""
    latest = _freed(clinic, now).order_by("-created_at").values_list("created_at", flat=True)
    return next(iter(latest[MOST_SLOTS - 1 : MOST_SLOTS]), now - LOOKED_BACK)


def _found(world_for: Callable[[int], World], rule: Rule, runs: int) -> Answer:
    rules = {pace: replace(rule, pace=pace) for pace in PACES}
    summaries = compare(world_for, rules=rules, seeds=_while_there_is_time(runs))
    done = summaries[Pace.SEQUENTIAL].outcomes
    return Answer(
        tried=[_tried(pace, summary) for pace, summary in summaries.items()],
        slots=max(len(run.fates) for run in done),
        runs=len(done),
        advice=recommend(summaries),
    )


def _while_there_is_time(runs: int) -> Iterator[int]:
    """Yield seeds until the time is over, at least two: of one, nobody knows how sure it is."""
    ends = monotonic() + SECONDS
    for seed in range(1, runs + 1):
        if seed > 2 and monotonic() >= ends:
            return
        yield seed


def _tried(pace: Pace, summary: Summary) -> Tried:
    return Tried(
        pace=pace,
        fill=summary.fill,
        fill_soon=summary.fill_soon,
        gone=summary.gone,
        offers_per_fill=summary.offers_per_fill,
        days_gained=summary.days_gained,
        by_lead=[_fill_of(summary, *band) for band in _bands()],
    )


def _bands() -> Iterator[tuple[timedelta, timedelta]]:
    yield from zip((timedelta(0), *BANDS), BANDS, strict=False)


def _fill_of(summary: Summary, after: timedelta, until: timedelta) -> Figure | None:
    """Return the share filled of what came free in a band of leads, over the runs that had any."""
    shares = []
    for run in summary.outcomes:
        filled = [fate.is_filled for fate in run.fates if after < fate.lead <= until]
        if filled:
            shares.append(sum(filled) / len(filled))
    return figure(shares)
