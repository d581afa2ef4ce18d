"""What audit and encryption cost a booking: the same bookings with and without both, in turn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median

from django.utils import timezone

from config.progress import step
from tests.benchmarks import stage
from tests.benchmarks.callers import Job, run
from tests.benchmarks.database import ask
from tests.benchmarks.figures import Figure

SECONDS = float(os.environ.get("BENCH_SECONDS", "5"))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
YEARS_ON = 70  # days that no other group of figures has come near


def measure() -> Iterator[Figure]:
    """Yield bookings a second, audited and sealed, beside the same without either."""
    with step("Setting the stage"):
        if not ask("SELECT count(*) FROM providers_provider"):
            stage.set_up()
    private, bare = [], []
    with step("Booking with and without audit and encryption"):
        for turn in range(TURNS):
            job = Job(SECONDS, _midnight(2 * turn), handlers=True)
            private.append(run(job).per_second("booked"))
            job = replace(job, first_start=_midnight(2 * turn + 1), private=False)
            bare.append(run(job).per_second("booked"))
    assert ask("SELECT count(*) FROM patients_auditentry WHERE action = 0") > 0
    yield Figure("booking_with_privacy_ratio", median(private), "1/s", median(bare))


def _midnight(number: int) -> datetime:
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=365 * YEARS_ON // 10 + 400 * number)
