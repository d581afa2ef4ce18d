"""How soon one provider's next thirty days are known, beside a bare multi-get of their keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from config.progress import step
from scheduling.availability import DayOpenings, days_with_openings, search
from scheduling.placing import Terms
from tests.benchmarks.availability import (
    COLD_TURNS,
    MANY,
    WrongAnswer,
    beside_keys,
    compare,
    offers,
)
from tests.benchmarks.caches import Cache, redis_beside
from tests.benchmarks.figures import Figure
from tests.benchmarks.settling import settled
from tests.benchmarks.town import DAYS, NOW
from tests.benchmarks.turns import in_turn
from tests.scheduling.oracle import Offer, fresh_days, fresh_search

NAME = f"availability_one_provider_{DAYS}d"
FEW = 50


def measure() -> Iterator[Figure]:
    """Yield the figures of all free times of a provider, and of the days that have any."""
    town = settled(FEW)
    query = town.month_of(town.providers[0], town.quarter)
    times = partial(search, query, terms=Terms(), now=NOW, limit=MANY)
    days = partial(days_with_openings, query, terms=Terms(), now=NOW, days=DAYS)
    plain = partial(fresh_search, query, Terms(), NOW)
    compare(NAME, offers(times()), plain())
    if list(map(_day, days())) != fresh_days(query, Terms(), NOW, days=DAYS):
        raise WrongAnswer(f"{NAME}: other days")
    with redis_beside() as cache, step(NAME):
        yield from _warm(f"{NAME}, warm", times, cache)
        yield from _warm(f"{NAME}, days with openings, warm", days, cache)
        yield from _anew(f"{NAME}, cold", times, plain, before=cache.flush)
        with cache.absent():
            yield from _anew(f"{NAME}, without Redis", times, plain)


def _day(found: DayOpenings) -> tuple[Any, int, Offer]:
    (first,) = offers([found.first])
    return found.day, found.count, first


def _warm(name: str, ours: Callable[[], Any], cache: Cache) -> Iterator[Figure]:
    taken = beside_keys(ours, cache)
    yield from taken.figures(name, "a bare multi-get")


def _anew(
    name: str, ours: Callable[[], Any], plain: Callable[[], Any], *, before: Any = None
) -> Iterator[Figure]:
    taken = in_turn(4 * COLD_TURNS, ours, plain, before=before)
    yield from taken.figures(name, "the definition")
