"""Decides how the private PostgreSQL is made, started, reached and ended, not what it keeps."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from config import lifeline
from config.embedded import directories
from config.embedded.account import Account, account_for
from config.embedded.binaries import Binaries, find
from config.embedded.errors import EmbeddedError

NAME = "daysheet"
PORT = 5432  # of the socket's name only: nothing listens on the network
_SUPERUSER = "postgres"
_START_SECONDS = 60
_STOP_SECONDS = 20
_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and failing rows can hold personal data: keep them out of the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
_CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
}


@contextmanager
def server(
    data_dir: Path | None = None, *, durable: bool = False, binaries: Path | None = None
) -> Iterator[str]:
    """Run PostgreSQL for the length of the block and yield its DATABASE_URL.

    Without `data_dir` the data are thrown away at the end. `durable` commits reach the disk.
    `binaries` names the directory of the programs to use. The server ends with this process, even
    if that is killed; call from the main thread. Raises EmbeddedError with a one-line reason.
    """
    with ExitStack() as stack:
        data = data_dir.absolute() if data_dir else None
        if data:
            stack.enter_context(directories.exclusive(data))
        account = account_for(data)
        run = stack.enter_context(directories.run_directory(account))
        home = directories.reachable(data, account) if data else run / "data"
        programs = find(major=_major(home), directory=binaries).readable_by(account, run)
        log = data.with_name(f"{data.name}.log") if data else run / "log"
        _await_predecessor(home)
        _initialise(programs, home, account, durable=durable)
        stack.enter_context(_running(_command(programs, home, run, durable), account, run, log))
        yield f"postgresql://{NAME}@:{PORT}/{NAME}?host={run}"


def _major(home: Path) -> int | None:
    version = home / "PG_VERSION"
    return int(version.read_text()) if version.exists() else None


def _await_predecessor(home: Path) -> None:
    """Let the server of a killed predecessor finish; forget a process number used by another."""
    lock_file = home / "postmaster.pid"
    deadline = time.monotonic() + _STOP_SECONDS
    while pid := directories.live_server(lock_file):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL (process {pid}) still uses {home}. Stop it first.")
        time.sleep(0.05)
    lock_file.unlink(missing_ok=True)


def _initialise(programs: Binaries, home: Path, account: Account, *, durable: bool) -> None:
    """Make the data directory once; a half-made one is never taken for a whole one."""
    if (home / "PG_VERSION").exists():
        return
    partial = home.with_name(f"{home.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700, parents=True)
    account.own(partial)
    locale = ["--locale=C.UTF-8"]
    if programs.major >= 17:
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    command: list[str | Path] = [programs.directory / "initdb"]
    command += ["--encoding=UTF8", *locale, *([] if durable else ["--no-sync"])]
    command += ["-D", partial, "-U", _SUPERUSER, "--auth=trust"]
    answer = subprocess.run(  # noqa: S603 - our own command line
        command,
        capture_output=True,
        text=True,
        check=False,
        **account.step_down(),
    )
    if answer.returncode:
        raise EmbeddedError(f"initdb failed: {' '.join(answer.stderr.split()[-40:])}")
    partial.rename(home)


def _command(programs: Binaries, home: Path, run: Path, durable: bool) -> list[str | Path]:  # noqa: FBT001
    settings = _SETTINGS | ({} if durable else _CARELESS) | {"unix_socket_directories": str(run)}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [programs.directory / "postgres", "-D", home, *flags]


@contextmanager
def _running(
    command: list[str | Path], account: Account, run: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = lifeline.start(
            command,
            last_signal=signal.SIGINT,  # its fast shutdown: every session ends, the data are clean
            owner=(account.uid, account.gid) if account.stepped_down else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # a Ctrl-C in the terminal is ours to handle, not its
            **account.process_options(),
        )
    try:
        _await_ready(process, run, log)
        yield process
    finally:
        _stop(process)


def _await_ready(process: subprocess.Popen[bytes], run: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _prepared(run):
        if process.poll() is not None or time.monotonic() > deadline:
            lines = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise EmbeddedError(f"PostgreSQL did not start: {' / '.join(lines)}")
        time.sleep(0.02)


def _prepared(run: Path) -> bool:
    """Make the role and database once the server answers; False while it does not."""
    try:
        connection = psycopg.connect(
            host=str(run), port=PORT, user=_SUPERUSER, dbname="postgres", autocommit=True
        )
    except psycopg.OperationalError:
        return False
    with connection:
        name = sql.Identifier(NAME)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [NAME]).rowcount:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(name))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).rowcount:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server: first politely, then at once, then by force."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(number)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
