"""How soon free times are found, warm and cold, beside a bare multi-get of the same keys.

Every answer is compared with a plainer way to the same before its figures are shown.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import TypeVar
from unittest.mock import patch

from config.progress import step
from scheduling import block_store
from scheduling.availability import FreeSlot, Query, search
from scheduling.placing import Terms
from tests.benchmarks.caches import Cache, redis_beside
from tests.benchmarks.figures import Figure
from tests.benchmarks.settling import change_steps, settled
from tests.benchmarks.subtracting import subtract
from tests.benchmarks.town import DAYS, MONDAY, NOW, Town
from tests.benchmarks.turns import Taken, in_turn
from tests.scheduling.oracle import Offer, fresh_search

SIZES = sorted(map(int, os.environ.get("BENCH_PROVIDERS", "50,500,2000,10000").split(",")))
WARM_TURNS = int(os.environ.get("BENCH_WARM_TURNS", "60"))
COLD_TURNS = int(os.environ.get("BENCH_COLD_TURNS", "5"))
TARGET_MS = {50: 3.0, 500: 6.0, 10_000: 40.0}
PAGE, MANY = 20, 100_000
WEEK, NOTICE = timedelta(days=6), timedelta(hours=1)
STEP, FINER_STEP = 15, 5
SAMPLE = 5
WARMING_SECONDS = 600.0
T = TypeVar("T")


def measure() -> Iterator[Figure]:
    """Yield the figures of the first page of a search, with all filters, for each size of town."""
    warm: dict[int, Taken] = {}
    with redis_beside() as cache:
        for size in SIZES:
            town = settled(size)
            name = f"availability_search {size:,}"
            _check_some_months(town)
            yield from _cold(name, town.query(town.quarter), cache)
            warm[size] = beside_keys(partial(first_page, town.query(town.quarter)), cache)
            yield from _figures(name, warm[size], TARGET_MS.get(size))
            yield from _nothing_fits(name, town, cache)
        yield from _growth(warm)
        yield from _finer(town, SIZES[-1], cache)


def first_page(query: Query) -> list[FreeSlot]:
    return search(query, terms=Terms(), now=NOW, limit=PAGE)


def _cold(name: str, query: Query, cache: Cache) -> Iterator[Figure]:
    """Nothing cached, then no cache at all; a week is read, since the page is full within it."""
    ours = partial(first_page, query)
    week = replace(query, last_day=query.first_day + WEEK)
    plain = partial(subtract, week, since=NOW + NOTICE, limit=PAGE)
    with step(f"{name}, cold"):
        compare(name, offers(ours()), plain())
        taken = in_turn(COLD_TURNS, ours, plain, before=cache.flush)
    yield from taken.figures(f"{name}, cold", "subtracting")
    with step(f"{name}, without Redis"), cache.absent():
        compare(name, offers(ours()), plain())
        taken = in_turn(COLD_TURNS, ours, plain)
    yield from taken.figures(f"{name}, without Redis", "subtracting")


def beside_keys(ours: Callable[[], object], cache: Cache) -> Taken:
    """Time what is answered from the cache in turn with a multi-get of the keys that it asks for.

    Raises OtherKeys if they are not those, WrongAnswer if the cache makes the answer another.
    """
    keys, cold = _stored_by(ours, cache)
    with cache.asked_for(keys):
        if ours() != cold:
            raise WrongAnswer("warm and cold")
    with cache.asked_for(keys, times=2 * WARM_TURNS):
        return in_turn(WARM_TURNS, ours, partial(cache.multi_get, keys))


def _stored_by(ours: Callable[[], T], cache: Cache) -> tuple[list[bytes], T]:
    """Return the keys of a search that found nothing cached, and what it found.

    For this once it stores all, where a patient's search would rather be answered.
    """
    cache.flush()
    with patch.object(block_store, "keep", partial(block_store.keep, seconds=WARMING_SECONDS)):
        cold = ours()
    return cache.stored(), cold


def _figures(name: str, taken: Taken, target_ms: float | None) -> Iterator[Figure]:
    if target_ms is not None:
        yield Figure(f"{name}, warm p50", taken.at(0.5)[0] * 1_000, "ms", target_ms)
    yield from taken.figures(f"{name}, warm", "a bare multi-get")


def _nothing_fits(name: str, town: Town, cache: Cache) -> Iterator[Figure]:
    """The longest way: a visit longer than anybody's hours, so that thirty days are read."""
    query = town.query(town.longer_than_any_hours)
    with step(f"{name}, nothing fits"):
        taken = beside_keys(partial(first_page, query), cache)
        compare(name, offers(first_page(query)), [])
    yield from _figures(f"{name}, nothing fits in {DAYS} days", taken, None)


def _growth(warm: dict[int, Taken]) -> Iterator[Figure]:
    """How many times as long a search takes among ten times as many, and a multi-get."""
    for few, many in pairwise(sorted(warm)):
        tenfolds = math.log10(many / few)
        grown = [
            (late / early) ** (1 / tenfolds)
            for early, late in zip(warm[few].at(0.5), warm[many].at(0.5), strict=True)
        ]
        yield Figure(
            f"availability_search growth per tenfold, {few:,} to {many:,}",
            grown[0],
            "times",
            grown[1],
        )


def _finer(town: Town, size: int, cache: Cache) -> Iterator[Figure]:
    """Visits of twenty minutes that begin every five: three times as many bits."""
    name, query = f"availability_search {size:,}, 5-minute grid", town.query(town.twenty)
    change_steps(town, FINER_STEP)
    with step(name):
        taken = beside_keys(partial(first_page, query), cache)
        found = offers(first_page(query))
        last = max(offer.start for offer in found).date()
        plain = fresh_search(replace(query, last_day=max(last, MONDAY)), Terms(), NOW)
        compare(name, found, plain[:PAGE])
    yield from _figures(name, taken, TARGET_MS.get(size))
    change_steps(town, STEP)


class WrongAnswer(Exception):
    """Two ways to the same answer differ, so that no figure of either means anything."""


def offers(slots: Sequence[FreeSlot]) -> list[Offer]:
    return [Offer(slot.start, slot.end, slot.provider.pk, slot.clinic.pk) for slot in slots]


def compare(name: str, ours: Sequence[Offer], plain: Sequence[Offer]) -> None:
    if list(ours) != list(plain):
        raise WrongAnswer(f"{name}: {len(ours)} and {len(plain)} times, or others")


def _check_some_months(town: Town) -> None:
    """Compare all free times of some providers with the definition."""
    for provider in town.fit[:: len(town.fit) // SAMPLE]:
        for kind in (town.quarter, town.twenty):
            query = town.month_of(provider, kind)
            found = search(query, terms=Terms(), now=NOW, limit=MANY)
            compare(provider.name, offers(found), fresh_search(query, Terms(), NOW))
