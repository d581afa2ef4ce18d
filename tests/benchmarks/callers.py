"""Two processes of eight threads that call `booking.book` as fast as it answers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from multiprocessing import get_context

import django
from django.conf import settings
from django.db import connection
from django.utils import timezone

PROCESSES, THREADS = 2, 8
WARM_UP = 1.0
SLOT = timedelta(minutes=10)
HOT_SECONDS = 0.25


@dataclass
class Tally:
    """How calls ended, by name, and how long each took in seconds, warm-up apart."""

    outcomes: Counter[str] = field(default_factory=Counter)
    durations: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.outcomes += other.outcomes
        self.durations += other.durations


@dataclass(frozen=True)
class Job:
    """`hot` sends everybody after one slot, which moves on four times a second."""

    seconds: float
    first_day: datetime
    handlers: bool
    hot: bool = False


def run(job: Job) -> Tally:
    """Run the job on all threads of all processes at once, each process a fresh one."""
    total = Tally()
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        for tally in processes.map(_process, [job] * PROCESSES, range(PROCESSES)):
            total.add(tally)
    return total


def _process(job: Job, number: int) -> Tally:
    django.setup()
    if not job.handlers:
        settings.BOOKING_HANDLERS = []
    total = Tally()
    with ThreadPoolExecutor(THREADS) as threads:
        for tally in threads.map(lambda n: _thread(job, number * THREADS + n), range(THREADS)):
            total.add(tally)
    return total


def _thread(job: Job, number: int) -> Tally:
    from tests.benchmarks.stage import Booker  # noqa: PLC0415 - models need django.setup() first

    booker = Booker(number)
    calls = _hot_calls(booker, job) if job.hot else _free_calls(booker, job)
    tally = Tally()
    begun = time.perf_counter()
    measured_from, until = begun + WARM_UP, begun + WARM_UP + job.seconds
    while (start := time.perf_counter()) < until:
        outcome = next(calls)()
        if start >= measured_from:
            tally.outcomes[outcome] += 1
            tally.durations.append(time.perf_counter() - start)
    connection.close()
    return tally


def _free_calls(booker: object, job: Job) -> Iterator[Callable[[], str]]:
    """Walk through time, each provider of one's own once at each step."""
    for step in count():
        start = job.first_day + step * SLOT
        for place in range(booker.providers_of_its_own):  # type: ignore[attr-defined]
            yield lambda start=start, place=place: booker.book(start, place)  # type: ignore[attr-defined,misc]


def _hot_calls(booker: object, job: Job) -> Iterator[Callable[[], str]]:
    while True:
        step = int(timezone.now().timestamp() / HOT_SECONDS) % 100_000
        yield lambda start=job.first_day + step * SLOT: booker.book_hot(start)  # type: ignore[attr-defined,misc]


def midnight_in(days: int) -> datetime:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)
