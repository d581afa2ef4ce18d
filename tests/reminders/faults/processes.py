"""Workers as processes that can be killed, and what is left to do after they were."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from reminders import dispatch, gathering, ledger
from reminders.models import Delivery
from tests.reminders.vendors.twilio_server import TwilioServer

PROJECT = Path(__file__).parent.parent.parent.parent
MINUTE = timedelta(minutes=1)
QUARTER = 15


class Worker:
    """One process that gathers and dispatches, once it is told to go."""

    def __init__(self, server: TwilioServer, step: str = "", *, threads: int = 1) -> None:
        name = str(connection.settings_dict["NAME"])
        module = "tests.reminders.faults.worker"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, name, server.url, step, str(threads)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.hears("ready")

    def hears(self, word: str) -> None:
        """Wait until it says this and nothing else."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == word

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=120)

    def end(self) -> int:
        """Wait until it is done; return how many it sent."""
        out, _err = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        return int(out)


@contextmanager
def worker(server: TwilioServer, step: str = "", **more: Any) -> Iterator[Worker]:
    """Start a worker, which does not outlive the test."""
    one = Worker(server, step, **more)
    try:
        yield one
    finally:
        one.kill()


def quarter_of_an_hour() -> Iterator[datetime]:
    """Yield each of the next fifteen minutes, with what the worker does in it: sweep and send.

    Leases of workers that are dead are over at once; no time passes but on the clock given.
    """
    now = timezone.now()
    for minute in range(QUARTER):
        Delivery.objects.exclude(lease_until=None).update(lease_until=now - MINUTE)
        at = now + minute * MINUTE
        ledger.sweep(now=at)
        gathering.gather(now=at)
        dispatch.dispatch(clock=lambda at=at: at)  # type: ignore[misc]
        yield at
