"""The demo as a visitor meets it: started, looked at, stopped and killed, with real processes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.config.processes import command_line, descendants, environment, is_alive, wait_until

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The data of every demo in this file, so that only the first one has to seed."""
    directory = Path(tempfile.mkdtemp(prefix="daysheet-test-"))
    directory.chmod(0o755)
    yield directory / "postgres"
    shutil.rmtree(directory)


def start(home: Path, port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "config.embedded", "run", "--data", str(home), "--"]
    return subprocess.Popen(
        [*command, sys.executable, "manage.py", "demo"],
        cwd=PROJECT,
        env=environment(PORT=str(port), DEMO_RECORDS=str(home.parent / "records.sqlite3")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def serving(home: Path) -> Iterator[tuple["subprocess.Popen[str]", str, list[str]]]:
    """Yield the demo once it has printed its address: process, address, lines so far."""
    process = start(home, free_port())
    assert process.stdout is not None
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Daysheet is at "):
                break
        else:
            pytest.fail("".join(lines))
        yield process, line.split()[3], lines
    finally:
        process.terminate()
        process.communicate(timeout=120)


def test_it_serves_says_who_may_sign_in_and_stops_cleanly(home: Path) -> None:
    with serving(home) as (process, address, lines):
        with urlopen(address, timeout=60) as page:  # noqa: S310 - our own address
            assert page.status == 200
        records = next(line.split()[-1] for line in lines if line.startswith("A record system"))
        with urlopen(records, timeout=60) as page:  # noqa: S310 - our own address
            assert b"Demo record system" in page.read()
        assert wait_until(lambda: len(descendants(process.pid)) >= 9)
        children = descendants(process.pid)
    said = "".join(lines).lower()
    assert all(word in said for word in ("receptionist", "provider", "admin", "patient"))
    assert process.returncode == 0
    assert not any(map(is_alive, children))


def test_the_second_start_finds_its_tables_as_they_were(home: Path) -> None:
    with serving(home) as (_process, _address, lines):
        assert not any("Preparing the tables" in line for line in lines)


@pytest.mark.parametrize("victim", ["config.embedded", "manage.py demo"])
def test_nothing_runs_on_after_a_kill(home: Path, victim: str) -> None:
    with serving(home) as (process, _address, _lines):
        children = descendants(process.pid)
        everyone = {process.pid, *children}
        killed = next(pid for pid in sorted(everyone) if named(pid, victim))
        os.kill(killed, signal.SIGKILL)
        assert wait_until(lambda: process.poll() is not None)
        assert wait_until(lambda: not any(map(is_alive, children)))


def named(pid: int, victim: str) -> bool:
    line = command_line(pid)
    return victim in line if victim == "config.embedded" else line.strip().endswith(victim)


def test_a_dead_web_server_ends_the_demo_and_is_named(home: Path) -> None:
    with serving(home) as (process, _address, _lines):
        children = descendants(process.pid)
        web = min(pid for pid in children if "gunicorn" in command_line(pid))
        os.kill(web, signal.SIGKILL)
        output, _none = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "web ended with status -9" in output
        assert not any(map(is_alive, children))


def test_a_dead_record_system_ends_the_demo_and_is_named(home: Path) -> None:
    with serving(home) as (process, _address, _lines):
        records = next(
            pid for pid in descendants(process.pid) if "emr_demo_server" in command_line(pid)
        )
        os.kill(records, signal.SIGKILL)
        output, _none = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "emr ended with status -9" in output


def test_a_taken_port_is_told_in_one_line_that_names_the_way_out(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        output, _none = start(home, port).communicate(timeout=120)
    told = [line for line in output.splitlines() if not line.startswith("Starting PostgreSQL")]
    assert len(told) == 1
    assert f"Port {port} cannot be used" in told[0]
    assert "PORT=" in told[0]


def test_it_refuses_settings_that_are_not_for_development(settings: Settings) -> None:
    settings.DEVELOPMENT = False
    with pytest.raises(CommandError, match="development settings only"):
        call_command("demo")
