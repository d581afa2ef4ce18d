"""Real processes whose starter is killed: the kernel's way and the guard's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config import lifeline
from tests.config.processes import descendants, is_alive, wait_until

PROJECT = Path(__file__).resolve().parents[2]
STARTER = """
import signal, sys, time
from config import lifeline
lifeline.start([sys.executable, "-c", {command!r}], last_signal=signal.SIGTERM, watch={watch})
time.sleep(60)
"""
FORKER = """
import os, signal, time
from config import lifeline
lifeline.tie_forks(signal.SIGKILL)
if os.fork() == 0:
    os.fork()
time.sleep(60)
"""


def started(code: str, *, expected: int) -> tuple["subprocess.Popen[bytes]", set[int]]:
    process = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT)
    assert wait_until(lambda: len(descendants(process.pid)) == expected)
    return process, descendants(process.pid)


@pytest.mark.parametrize("watch", [False, True], ids=["kernel", "guard"])
def test_a_command_ends_with_its_killed_starter(watch: bool) -> None:
    code = STARTER.format(command="import time; time.sleep(60)", watch=watch)
    process, children = started(code, expected=2 if watch else 1)
    process.kill()
    process.wait()
    assert wait_until(lambda: not any(map(is_alive, children)))


def test_forked_processes_end_with_their_killed_parent() -> None:
    process, children = started(FORKER, expected=2)
    process.kill()
    process.wait()
    assert wait_until(lambda: not any(map(is_alive, children)))


def test_without_the_lifeline_a_forked_process_stays() -> None:
    code = FORKER.replace("lifeline.tie_forks(signal.SIGKILL)", "")
    process, children = started(code, expected=2)
    process.kill()
    process.wait()
    assert not wait_until(lambda: not any(map(is_alive, children)), seconds=1)
    for child in children:
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("watch", [False, True], ids=["kernel", "guard"])
def test_a_command_s_status_is_the_process_s(watch: bool) -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    process = lifeline.start(command, last_signal=signal.SIGTERM, watch=watch)
    assert process.wait(15) == 3


def test_a_missing_command_is_named() -> None:
    process = lifeline.start(
        ["/no/such/program"], last_signal=signal.SIGTERM, stderr=subprocess.PIPE
    )
    _output, errors = process.communicate(timeout=60)
    assert process.returncode == 127
    assert errors == b"/no/such/program: No such file or directory\n"
