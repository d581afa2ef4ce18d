"""Ten thousand texts to a vendor that takes 50 ms for each, and how long an instant one waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings
from django.utils import timezone

from config.progress import step
from reminders import gathering
from reminders.dispatch import dispatch
from tests.benchmarks.figures import Figure
from tests.reminders.crowd import crowd
from tests.reminders.vendors.twilio_server import TwilioServer

MANY = int(os.environ.get("BENCH_SENDS", "10000"))
THREADS, LATENCY = int(os.environ.get("BENCH_THREADS", "8")), 0.05
SHARE = 0.8
PATIENCE = 15 * 60.0


class Texts:
    """The vendor in a process of its own; `taken` is known once it has ended."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = self._line().strip()
        self.taken: list[tuple[str, str, int]] = []

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def end(self) -> None:
        out, _err = self._process.communicate()
        self.taken = [tuple(line) for line in json.loads(out)]


@contextmanager
def vendor(latency: float) -> Iterator[Texts]:
    """Run the vendor, and let the site text by it."""
    command = [sys.executable, "-m", "tests.reminders.vendors.twilio_server", str(latency)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        texts = Texts(process)
        with TwilioServer() as here:  # for the settings alone
            settings = {**here.settings, "TWILIO_BASE_URL": texts.url}
        ways = {"EMAIL": "reminders.channels.mail.Mail", "PUSH": "reminders.channels.off.Off"}
        ways["SMS"] = "reminders.channels.twilio.Twilio"
        with override_settings(CHANNELS=ways, **settings):
            yield texts
        texts.end()


def measure() -> Iterator[Figure]:
    """Yield texts a second beside what so many threads could at most, and what was sent twice."""
    now = timezone.now()
    with step(f"Writing {MANY:,} visits"):
        crowd(MANY, now=now)
    began = time.perf_counter()
    with step("Gathering what is due"):
        queued = gathering.gather(now=now)
    gathered = time.perf_counter() - began
    assert queued == MANY, queued
    with vendor(LATENCY) as texts, step(f"Sending {MANY:,} texts"):
        began = time.perf_counter()
        counts = dispatch(threads=THREADS, seconds=PATIENCE)
        took = time.perf_counter() - began
    assert counts.sent == MANY, counts.as_dict()
    times = [n for _to, _body, n in texts.taken]
    yield Figure("send_10k_at_50ms", MANY / took, "1/s", SHARE * THREADS / LATENCY)
    yield Figure("send_10k_at_50ms, sent", sum(times), "", MANY)
    yield Figure("send_10k_at_50ms, sent twice", sum(times) - len(times), "")
    yield Figure("send_10k_at_50ms, gathered", MANY / gathered, "1/s")
