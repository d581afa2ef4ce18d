"""One provider's month through the portal's pages of days, over HTTP, beside a bare page.

A month is three such pages, as each shows ten days that have openings. Easy!Appointments' figures
are quoted, not measured here: they were taken on another machine of two cores.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from importlib import import_module
from statistics import median

from django.conf import settings

from config.progress import step
from patients.visitors import SESSION_KEY
from scheduling.wishes import Wish
from tests.benchmarks.availability import WARM_TURNS
from tests.benchmarks.caches import redis_beside
from tests.benchmarks.figures import Figure, quantile
from tests.benchmarks.one_provider import FEW
from tests.benchmarks.settling import book, settled
from tests.benchmarks.site import Site, Visitor, served
from tests.benchmarks.town import MONDAY, Town
from tests.benchmarks.turns import in_turn

EASY_APPOINTMENTS_MS, THEIRS_WITH_HISTORY_MS, TARGET = 209.0, 2_700.0, 20
WEEK, YEARS = 7, 5
DAYS_ON_A_PAGE, PAGES = 10, 3
VISITORS = 2
SECONDS = 5.0


def measure() -> Iterator[Figure]:
    """Yield the figures of one page and of a month, then of the same among five years of visits."""
    town = settled(FEW)
    this_monday = MONDAY - timedelta(days=WEEK)
    book(town.providers[:1], town, first=this_monday, days=WEEK)
    with redis_beside():
        yield from _month("availability_page", town, EASY_APPOINTMENTS_MS)
    with step(f"Booking {YEARS} years of the past"):
        days = 365 * YEARS
        book(town.providers[:1], town, first=this_monday - timedelta(days=days), days=days)
    name = f"availability_page, {YEARS} years of visits"
    with redis_beside():
        yield from _month(name, town, THEIRS_WITH_HISTORY_MS)
    yield from _month(f"{name}, without Redis", town, THEIRS_WITH_HISTORY_MS)


def _month(name: str, town: Town, theirs_ms: float) -> Iterator[Figure]:
    wish = _wish(town)
    with served() as site, step(name):
        visitor = _visitor(site)
        pages, bare = _pages(visitor, wish), wish.address("by_phone")
        for path in [*pages, bare]:
            visitor.get(path)
        taken = in_turn(WARM_TURNS, lambda: visitor.get(pages[0]), lambda: visitor.get(bare))
        months = [sum(visitor.get(path) for path in pages) for _turn in range(WARM_TURNS)]
        rates = [_rate(visitor, path) for path in (pages[0], bare)]
    yield from taken.figures(f"{name}, ten days", "a page without a search")
    yield Figure(
        f"{name}, ten days, by {VISITORS} visitors of one worker", rates[0], "1/s", rates[1]
    )
    yield Figure(f"{name}, a month p50", median(months) * 1_000, "ms", theirs_ms / TARGET)
    yield Figure(f"{name}, a month p95", quantile(months, 0.95) * 1_000, "ms", theirs_ms / TARGET)
    faster = theirs_ms / (median(months) * 1_000)
    yield Figure(f"{name}, times as fast as quoted of Easy!Appointments", faster, "times", TARGET)


def _wish(town: Town) -> Wish:
    provider, kind = town.providers[0], town.quarter
    params = {"who": "me", "first": "no", "type": kind.code, "provider": str(provider.pk)}
    return Wish(clinic=provider.clinic, params=params, kind=kind, provider=provider)


def _visitor(site: Site) -> Visitor:
    """Return a browser that has kept a time before, so that the page asks whether it still does."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = "a browser"
    session.create()
    return Visitor(site, session.session_key)


def _pages(visitor: Visitor, wish: Wish) -> list[str]:
    """Return the addresses of a month's pages, each as the page before links to it."""
    pages = [wish.address("days")]
    while len(pages) < PAGES:
        text = visitor.read(pages[-1])
        if text.count('name="day"') != DAYS_ON_A_PAGE + 1:
            raise RuntimeError("The page does not show ten days, and a way out.")
        (later,) = re.findall(r'href="([^"]*[?&;]from=[^"]*)"', text)
        pages.append(unescape(later))
    return pages


def _rate(visitor: Visitor, path: str) -> float:
    """Return how many requests a second some visitors get answered, each the next at once."""
    ends_at = time.perf_counter() + SECONDS

    def ask(_who: int) -> int:
        count = 0
        while time.perf_counter() < ends_at:
            visitor.get(path)
            count += 1
        return count

    with ThreadPoolExecutor(VISITORS) as visitors:
        return sum(visitors.map(ask, range(VISITORS))) / SECONDS
