"""The private server with real processes: started, killed, refused, swept and started again."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.embedded import EmbeddedError, binaries, server
from tests.config.processes import environment, is_alive, wait_until

PROJECT = Path(__file__).resolve().parents[2]
RUN = [sys.executable, "-m", "config.embedded", "run"]
HOLD = "import os, time; print(os.environ['DATABASE_URL'], flush=True); time.sleep(60)"
SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def home() -> Iterator[Path]:
    """A place for data that an unprivileged account can reach, also when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="daysheet-test-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        yield directory / "postgres"


def run(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*RUN, *arguments],
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_and_hold(*arguments: str) -> tuple["subprocess.Popen[str]", int, Path]:
    """Start a server that stays; return its supervisor, its own process number and its sockets."""
    supervisor = run(*arguments, "--", sys.executable, "-c", HOLD)
    assert supervisor.stdout is not None
    sockets = Path(supervisor.stdout.readline().strip().split("host=")[1])
    postgres = int((sockets / ".s.PGSQL.5432.lock").read_text().split()[0])
    return supervisor, postgres, sockets


def finish(supervisor: "subprocess.Popen[str]", number: signal.Signals) -> int:
    supervisor.send_signal(number)
    supervisor.communicate(timeout=90)
    return supervisor.returncode


def test_it_offers_an_empty_database_to_an_ordinary_role() -> None:
    with server() as url, psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        encoding = connection.execute("SHOW server_encoding").fetchone()
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute("CREATE EXTENSION pg_trgm")
    assert row == ("daysheet", False, True)
    assert encoding == ("UTF8",)


def test_it_listens_in_a_private_directory_and_nowhere_else() -> None:
    with server() as url, psycopg.connect(url) as connection:
        sockets = Path(url.split("host=")[1])
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert len(str(sockets / ".s.PGSQL.5432")) < 100
    assert not sockets.exists()


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_only_a_durable_server_waits_for_the_disk(durable: bool, fsync: str) -> None:
    with server(durable=durable) as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == (fsync,)


def test_data_in_a_named_directory_outlive_the_server(home: Path) -> None:
    for expected in (1, 2):
        with server(home, durable=True) as url, psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz)")
            connection.execute("INSERT INTO visit VALUES (now())")
            assert connection.execute("SELECT count(*) FROM visit").fetchone() == (expected,)


def test_the_server_ends_with_a_killed_supervisor_and_starts_again(home: Path) -> None:
    supervisor, postgres, _sockets = run_and_hold("--data", str(home))
    assert is_alive(postgres)
    assert finish(supervisor, signal.SIGKILL) == -signal.SIGKILL
    with server(home, durable=True) as url, psycopg.connect(url) as connection:
        assert not is_alive(postgres)
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_server_leaves_nothing_that_prevents_the_next(home: Path) -> None:
    supervisor, postgres, _sockets = run_and_hold("--data", str(home))
    os.kill(postgres, signal.SIGKILL)
    finish(supervisor, signal.SIGKILL)
    assert (home / "postmaster.pid").exists()
    with server(home, durable=True) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_process_number_used_by_another_program_does_not_prevent_the_start(home: Path) -> None:
    with server(home, durable=True):
        text = (home / "postmaster.pid").read_text()
    lines = [str(os.getpid()), *text.splitlines()[1:]]
    (home / "postmaster.pid").write_text("\n".join(lines))
    with server(home, durable=True) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_what_a_killed_throw_away_server_left_is_swept_by_the_next() -> None:
    supervisor, postgres, sockets = run_and_hold()
    finish(supervisor, signal.SIGKILL)
    assert wait_until(lambda: not is_alive(postgres))
    assert sockets.exists()
    with server():
        assert not sockets.exists()


def test_a_live_throw_away_server_is_not_swept() -> None:
    with server() as first, server() as second:
        assert first != second
        with psycopg.connect(first) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_sigterm_ends_command_and_server_cleanly() -> None:
    supervisor, postgres, sockets = run_and_hold()
    assert finish(supervisor, signal.SIGTERM) == 128 + signal.SIGTERM
    assert not is_alive(postgres)
    assert not sockets.exists()


def test_two_at_once_on_the_same_data_are_refused_by_name(home: Path) -> None:
    supervisor, _postgres, _sockets = run_and_hold("--data", str(home))
    with pytest.raises(EmbeddedError, match=f"in use by process {supervisor.pid}"):
        server(home, durable=True).__enter__()
    answer = run("--data", str(home), "--", "true").communicate(timeout=90)
    assert answer[1].count("\n") == 1
    assert supervisor.poll() is None
    assert finish(supervisor, signal.SIGTERM) == 128 + signal.SIGTERM


def test_the_command_s_exit_status_is_returned_in_silence() -> None:
    process = run("--", sys.executable, "-c", "raise SystemExit(7)")
    output, errors = process.communicate(timeout=90)
    assert process.returncode == 7
    assert output == ""
    assert all("Starting PostgreSQL" in line for line in errors.splitlines())


def test_a_given_database_url_starts_nothing() -> None:
    answer = subprocess.run(
        [*RUN, "--", sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])"],
        cwd=PROJECT,
        env=environment(DATABASE_URL="postgresql://elsewhere/clinic"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "postgresql://elsewhere/clinic\n"


def test_missing_programs_are_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="Set DATABASE_URL, or install") as refusal:
        binaries.find(directory=tmp_path)
    assert "\n" not in str(refusal.value)


def test_data_of_another_version_are_refused_not_damaged(home: Path) -> None:
    home.mkdir()
    (home / "PG_VERSION").write_text("9\n")
    if os.geteuid() == 0:
        shutil.chown(home, "nobody")
    with pytest.raises(EmbeddedError, match="No PostgreSQL 9 found"):
        server(home, durable=True).__enter__()
    assert (home / "PG_VERSION").read_text() == "9\n"


@pytest.mark.skipif(not SYSTEM_15.is_dir(), reason="PostgreSQL 15 is not installed here")
def test_the_system_s_programs_serve_as_well() -> None:
    with server(binaries=SYSTEM_15) as url, psycopg.connect(url) as connection:
        assert connection.info.server_version // 10_000 == 15


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a place that others cannot reach")
def test_root_keeps_the_data_elsewhere_when_the_project_cannot_be_reached() -> None:
    with tempfile.TemporaryDirectory(prefix="daysheet-test-") as name:
        data = Path(name) / "postgres"
        for _twice in range(2):
            with server(data, durable=True) as url, psycopg.connect(url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)
        assert data.is_symlink()
        shutil.rmtree(data.resolve())
