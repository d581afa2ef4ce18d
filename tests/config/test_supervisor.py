"""Several real processes under one supervisor."""

import io
import os
import sys
import time

import pytest

from config.supervisor import ChildEnded, Supervisor
from tests.config.processes import is_alive, wait_until


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def look_until(supervisor: Supervisor, output: io.StringIO, text: str) -> None:
    deadline = time.monotonic() + 60
    while text not in output.getvalue():
        assert time.monotonic() < deadline
        supervisor.look()


def test_what_a_process_says_is_repeated_under_its_name() -> None:
    output = io.StringIO()
    with Supervisor(output) as supervisor:
        supervisor.start(
            "web", python("import time; print('ready'); time.sleep(60)"), env=os.environ
        )
        look_until(supervisor, output, "   web | ready\n")


def test_a_process_that_ends_is_named_with_its_last_lines_and_the_rest_is_stopped() -> None:
    output = io.StringIO()
    last_words = python("print('out of luck'); raise SystemExit(3)")
    with (
        pytest.raises(ChildEnded, match=r"(?s)worker ended with status 3.*out of luck"),
        Supervisor(output) as supervisor,
    ):
        supervisor.start("web", python(SLEEP), env=os.environ)
        look_until(supervisor, output, "pid")
        supervisor.start("worker", last_words, env=os.environ)
        look_until(supervisor, output, "this never comes")
    assert not is_alive(pid_in(output))


def test_stopping_waits_for_a_process_to_tidy_up() -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('tidy'), sys.exit(0)))\n"
        "print('ready')\ntime.sleep(60)"
    )
    output = io.StringIO()
    with Supervisor(output) as supervisor:
        supervisor.start("web", python(code), env=os.environ)
        look_until(supervisor, output, "ready")
    assert "tidy" in output.getvalue()


def test_a_process_that_will_not_stop_is_killed() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SLEEP
    output = io.StringIO()
    with Supervisor(output, patience=0.3) as supervisor:
        supervisor.start("web", python(code), env=os.environ)
        look_until(supervisor, output, "pid")
    assert wait_until(lambda: not is_alive(pid_in(output)))


SLEEP = "import os, time; print('pid', os.getpid()); time.sleep(60)"


def pid_in(output: io.StringIO) -> int:
    return int(output.getvalue().split("pid ")[1].split()[0])
