"""What a booking costs beside one plain INSERT, and how fast the losers of one slot are told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median

from django.db import connection
from django.utils import timezone

from config.progress import step
from tests.benchmarks import URL, rows, stage
from tests.benchmarks.callers import Job, Tally, run
from tests.benchmarks.database import DEADLOCKS, ask
from tests.benchmarks.figures import Figure, quantile
from tests.benchmarks.limit import inserts_per_second

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
MANY = int(os.environ.get("BENCH_ROWS", "1000000"))
TARGET_MS, TARGET_REFUSALS, TARGET_GROWTH = 50.0, 3_000.0, 1.25
GUARD = "scheduling_appointment {} TRIGGER appointment_insert_bumps"
DOUBLE = """
SELECT count(*) FROM scheduling_appointment AS one JOIN scheduling_appointment AS other
    ON one.provider_id = other.provider_id AND one.id < other.id
    AND one.overbook_lane = other.overbook_lane AND one.busy && other.busy
WHERE one.status <> 'CANCELLED' AND other.status <> 'CANCELLED'
    AND one.scheduled_start > now() AND other.scheduled_start > now()
"""
_runs = count()


def measure() -> Iterator[Figure]:
    """Yield all figures of booking; the limit is measured again beside each of them."""
    with step("Setting the stage"):
        stage.set_up()
        rows.make_plain_table()
    few = list(_free("at 0 rows"))
    yield from (*few, *_guard(), *_hot("at 0 rows"))
    with step(f"Loading {MANY:,} visits"):
        rows.load_history(MANY)
    many = list(_free(f"at {MANY:,} rows"))
    yield from (*many, *_growth(few[0], many[0]), *_hot(f"at {MANY:,} rows"))


def _fresh_start() -> datetime:
    """Return a midnight that no earlier run has come near."""
    midnight = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=2 + 400 * next(_runs))


def _free(where: str) -> Iterator[Figure]:
    limits: list[float] = []
    ours: dict[bool, list[Tally]] = {False: [], True: []}
    with step(f"Booking without conflicts {where}"):
        for _turn in range(TURNS):
            limits.append(inserts_per_second(URL, SECONDS))
            for handlers, tallies in ours.items():
                tallies.append(run(Job(SECONDS, _fresh_start(), handlers=handlers)))
    for handlers, tallies in ours.items():
        name = f"booking_conflict_free{' with handlers' if handlers else ''} {where}"
        rate = median(tally.per_second("booked") for tally in tallies)
        assert all(set(tally.outcomes) == {"booked"} for tally in tallies), tallies[0].outcomes
        yield Figure(name, rate, "1/s", median(limits))
        slow = median(quantile(tally.durations, 0.99) for tally in tallies)
        yield Figure(f"{name}, p99", slow * 1_000, "ms", TARGET_MS)


def _guard() -> Iterator[Figure]:
    """The deferred guard's own cost: the same bookings with and without it, turn by turn."""
    guarded, free = [], []
    with step("Booking with and without the guard"):
        for _turn in range(TURNS):
            guarded.append(run(Job(SECONDS, _fresh_start())).per_second("booked"))
            with _unguarded():
                free.append(run(Job(SECONDS, _fresh_start())).per_second("booked"))
    yield Figure("booking_with_guard", median(guarded), "1/s", median(free))


@contextmanager
def _unguarded() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {GUARD.format('DISABLE')}")
        yield
        cursor.execute(f"ALTER TABLE {GUARD.format('ENABLE')}")


def _hot(where: str) -> Iterator[Figure]:
    name = f"booking_hot_slot {where}"
    deadlocks = ask(DEADLOCKS)
    with step(f"Sixteen callers for one slot {where}"):
        tallies = [run(Job(SECONDS, _fresh_start(), hot=True)) for _turn in range(TURNS)]
    refused = median(
        sum(tally.outcomes.values()) / tally.seconds - tally.per_second("booked")
        for tally in tallies
    )
    yield Figure(f"{name}, refusals", refused, "1/s", TARGET_REFUSALS)
    slow = median(quantile(tally.durations, 0.99) for tally in tallies)
    yield Figure(f"{name}, p99", slow * 1_000, "ms", TARGET_MS)
    worst = max(max(tally.durations) for tally in tallies)
    yield Figure(f"{name}, slowest", worst * 1_000, "ms")
    yield Figure(f"{name}, deadlocks", ask(DEADLOCKS) - deadlocks, "")
    yield Figure(f"{name}, double bookings", ask(DOUBLE), "")


def _growth(few: Figure, many: Figure) -> Iterator[Figure]:
    """How many times as long a booking takes among many rows as among none."""
    growth = few.value / many.value
    yield Figure(f"booking_growth to {MANY:,} rows", growth, "times", TARGET_GROWTH)
