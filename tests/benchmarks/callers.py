"""Two processes of eight threads that call `booking.book` as fast as it answers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from multiprocessing import get_context

from django.conf import settings
from django.db import connection

from scheduling import records
from tests.benchmarks.stage import SHARE, Booker

PROCESSES, THREADS = 2, 8
WARM_UP = 1.0
SLOT = timedelta(minutes=10)
HOT_SECONDS = 0.25

Call = Callable[[], str]


@dataclass
class Tally:
    """How calls ended, by name, and how long each took in seconds, warm-up apart."""

    seconds: float
    outcomes: Counter[str] = field(default_factory=Counter)
    durations: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.outcomes += other.outcomes
        self.durations += other.durations

    def per_second(self, outcome: str) -> float:
        return self.outcomes[outcome] / self.seconds


@dataclass(frozen=True)
class Job:
    """`hot` sends everybody after one slot, which moves on four times a second.

    Without `private` a booking leaves no row of the audit, and its reason is not sealed.
    """

    seconds: float
    first_start: datetime
    handlers: bool = False
    hot: bool = False
    private: bool = True


def run(job: Job) -> Tally:
    """Run the job on all threads of all processes at once, each process a fresh one."""
    total = Tally(job.seconds)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as processes:
        for tally in processes.map(_process, [job] * PROCESSES, range(PROCESSES)):
            total.add(tally)
    return total


def _process(job: Job, number: int) -> Tally:
    if not job.handlers:
        settings.BOOKING_HANDLERS = []
    if not job.private:
        _without_privacy()
    total = Tally(job.seconds)
    with ThreadPoolExecutor(THREADS) as threads:
        callers = range(number * THREADS, (number + 1) * THREADS)
        for tally in threads.map(partial(_thread, job), callers):
            total.add(tally)
    return total


def _without_privacy() -> None:
    """Leave out of this process's bookings what is to be measured."""

    def no_row(*_appointments: object, **_facts: object) -> None:
        return None

    records.row_of_booking = no_row  # type: ignore[assignment,attr-defined]
    records._sealed = lambda appointment: appointment.reason_for_visit


def _thread(job: Job, number: int) -> Tally:
    booker = Booker(number)
    calls = _hot_calls(booker, job) if job.hot else _free_calls(booker, job)
    tally = Tally(job.seconds)
    measured_from = time.perf_counter() + WARM_UP
    while (begun := time.perf_counter()) < measured_from + job.seconds:
        outcome = next(calls)()
        if begun >= measured_from:
            tally.outcomes[outcome] += 1
            tally.durations.append(time.perf_counter() - begun)
    connection.close()
    return tally


def _free_calls(booker: Booker, job: Job) -> Iterator[Call]:
    """Walk through time, each provider of one's own once at each step."""
    for step in count():
        for place in range(SHARE):
            yield partial(booker.book, job.first_start + step * SLOT, place)


def _hot_calls(booker: Booker, job: Job) -> Iterator[Call]:
    """Every caller reads the same clock, and so wants the same slot at the same time."""
    while True:
        step = int(time.time() / HOT_SECONDS) % 100_000
        yield partial(booker.book_hot, job.first_start + step * SLOT)
