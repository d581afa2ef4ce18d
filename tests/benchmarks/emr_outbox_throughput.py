"""Visits told to a record system that takes 20 ms for each answer, beside the rate it allows."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

from django.utils import timezone

from config.progress import step
from emr.kinds import State, What
from emr.models import OutboundMessage
from emr.outbox import writing
from tests.benchmarks.figures import Figure
from tests.benchmarks.record_system import AT_ONCE, DAY, Joined, joined, running

MANY = int(os.environ.get("BENCH_EMR_MESSAGES", "3000"))
RATE, LATENCY = float(os.environ.get("BENCH_EMR_RATE", "100")), 0.02
PROCESSES, THREADS = 2, 4  # as the worker runs, unless it is told otherwise
SHARE = 0.8
PATIENCE = 15 * 60.0


def measure() -> Iterator[Figure]:
    """Yield messages a second beside 80 % of the connection's own rate, and what went twice."""
    now = timezone.now()
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) + 2 * DAY
    with step(f"Writing {MANY:,} visits"):
        there = joined(
            MANY,
            providers=20,
            days=10,
            first=first,
            rate_per_second=RATE,
            burst=10,
            workers=THREADS,
        )
        _queue(there)
    with running(there, latency=LATENCY) as system, step(f"Telling {MANY:,} visits"):
        began = time.perf_counter()
        _push(str(there.connection.pk))
        took = time.perf_counter() - began
    told = OutboundMessage.objects.filter(state=State.DONE.value).count()
    assert told == MANY, told
    yield Figure("emr_outbox_throughput", told / took, "1/s", SHARE * RATE)
    yield Figure("emr_outbox_throughput, made there", system.became["visits"], "", MANY)
    yield Figure("emr_outbox_throughput, made twice", system.became["doubles"], "")
    yield Figure("emr_outbox_throughput, calls for each", system.became["calls"] / MANY, "")


def _push(connection: str) -> None:
    """Send all that is due by processes of their own; their start counts."""
    command = [sys.executable, "-m", "tests.benchmarks.pusher", connection, str(PATIENCE)]
    pushers = [subprocess.Popen(command) for _process in range(PROCESSES)]
    assert [pusher.wait() for pusher in pushers] == [0] * PROCESSES


def _queue(there: Joined) -> None:
    rows = [
        OutboundMessage(
            connection=there.connection,
            what=What.VISIT.value,
            act="BOOK",
            patient_id=visit.patient_id,
            appointment=visit,
            version=visit.version,
            marker=writing.new_marker(),
            not_before=timezone.now(),
        )
        for visit in there.visits
    ]
    OutboundMessage.objects.bulk_create(rows, batch_size=AT_ONCE)
