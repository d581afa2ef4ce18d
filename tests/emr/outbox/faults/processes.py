"""Workers as processes that can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

PROJECT = Path(__file__).parents[4]
PATIENCE = 120


class Worker:
    """One process that tells what is due, once it is told to go."""

    def __init__(self, system: str = "", step: str = "") -> None:
        name = str(connection.settings_dict["NAME"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.emr.outbox.faults.worker", name, system, step],
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
        self.process.communicate(timeout=PATIENCE)

    def end(self) -> int:
        """Wait until it is done; return how many it sent."""
        out, _err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0
        return int(out)


@contextmanager
def worker(system: str = "", step: str = "") -> Iterator[Worker]:
    """Start a worker, which does not outlive the test."""
    one = Worker(system, step)
    try:
        yield one
    finally:
        one.kill()


def kill_at(step: str, system: str) -> None:
    """Let a worker come so far, and no further."""
    with worker(system, step) as one:
        one.go()
        one.hears("there")
