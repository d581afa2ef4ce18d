"""Ten thousand visits compared with a record system's: how long the command takes, how much memory.

The limits are our own: a comparison that runs by night beside a clinic's other work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone

from config.progress import step
from tests.benchmarks.figures import Figure
from tests.benchmarks.record_system import DAY, Joined, agree, joined, running

MANY = int(os.environ.get("BENCH_EMR_VISITS", "10000"))
PROVIDERS, DAYS = 12, 30
APART = 100
SECONDS, MEGABYTES = 120.0, 256.0


def measure() -> Iterator[Figure]:
    """Yield the seconds and the peak memory of `emr_reconcile`, and what it found of what is
    apart."""
    now = timezone.now()
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) + 2 * DAY
    with step(f"Writing {MANY:,} visits on both sides"):
        there = joined(
            MANY,
            providers=PROVIDERS,
            days=DAYS,
            first=first,
            rate_per_second=1000,
            burst=1000,
        )
        agree(there)
        _set_apart(there)
    with running(there, latency=0), step(f"Comparing {MANY:,} visits"):
        began = time.perf_counter()
        found, memory = _compared(there, str(first.date()), str((first + DAYS * DAY).date()))
        took = time.perf_counter() - began
    yield Figure("reconcile_10k", took, "s", SECONDS)
    yield Figure("reconcile_10k, peak memory", memory, "MB", MEGABYTES)
    yield Figure("reconcile_10k, found", found, "", APART)


def _set_apart(there: Joined) -> None:
    """Let the other side have called off every so many appointments."""
    visits = [one for one in there.resources if one["resourceType"] == "Appointment"]
    for one in visits[:: len(visits) // APART][:APART]:
        one["status"] = "cancelled"


def _compared(there: Joined, since: str, until: str) -> tuple[int, float]:
    """Run the command; return how many lines it told, and its peak memory in megabytes."""
    command = [sys.executable, "manage.py", "emr_reconcile", "--json", f"--from={since}"]
    command += [f"--until={until}", f"--connection={there.connection.pk}"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "found.ndjson"
        with out.open("w") as file, subprocess.Popen(command, stdout=file) as process:
            peak = _peak(process)
        assert process.returncode in {0, 1}, process.returncode
        lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert all(line["kind"] == "STATUS" for line in lines), lines[:3]
    return len(lines), peak


def _peak(process: subprocess.Popen[bytes]) -> float:
    """Return the most memory that a process ever had, in megabytes, by Linux's own account.

    What the kernel says after its end would count this process's memory too, of which it is born.
    """
    peak = 0.0
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        time.sleep(0.05)
        lines = status.read_text().splitlines() if status.exists() else []
        told = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        peak = max(peak, *(int(kilobytes) / 1024 for kilobytes in told), 0.0)
    return peak
