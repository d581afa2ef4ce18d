"""Decides where a server's files lie, who holds them now, and what dead owners left to sweep."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import EmbeddedError

_PREFIX = "daysheet-pg-"
_SOCKET_LOCK = ".s.PGSQL.5432.lock"
_LONGEST_SOCKET_DIRECTORY = 70
_ROOT_HOME = Path("/var/lib/daysheet")


@contextmanager
def run_directory(account: Account) -> Iterator[Path]:
    """Yield a new private directory with a short path, removed at the end.

    Its owner holds a lock on it, so that the next start can tell an abandoned one from a live one.
    """
    base = _base()
    _sweep(base, account)
    path, lock = _claim(base)
    try:
        account.own(path)
        yield path
    finally:
        shutil.rmtree(path)
        os.close(lock)


@contextmanager
def exclusive(data: Path) -> Iterator[None]:
    """Hold the data directory for this process alone; EmbeddedError names a holder at once."""
    data.parent.mkdir(parents=True, exist_ok=True)
    with data.with_name(f"{data.name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise EmbeddedError(
                f"The database in {data} is in use by process {file.read().strip()}. "
                "Stop that one first, or set DATABASE_URL."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def reachable(data: Path, account: Account) -> Path:
    """Return `data`, or where root keeps it instead because `account` cannot get there.

    The substitute is left behind as a symbolic link, so that removing it can follow.
    """
    if data.is_symlink():
        return data.resolve()
    if account.can_reach(data.parent):
        return data
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    _ROOT_HOME.mkdir(mode=0o755, exist_ok=True)
    substitute = _ROOT_HOME / name
    data.symlink_to(substitute)
    return substitute


def live_server(lock_file: Path) -> int | None:
    """Return the process named in a PostgreSQL lock file if it is a PostgreSQL that still runs."""
    try:
        pid = int(lock_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if "postgres" in _command_line(pid) else None


def _command_line(pid: int) -> str:
    """Return how a process was started; empty if there is none of that number."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    line = ["/bin/ps", "-o", "args=", "-p", str(pid)]
    answer = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments and a number
    return answer.stdout


def _base() -> Path:
    preferred = Path(tempfile.gettempdir())
    short = len(os.fsencode(preferred)) <= _LONGEST_SOCKET_DIRECTORY
    return preferred if short and "," not in str(preferred) else Path("/tmp")  # noqa: S108 - mkdtemp


def _claim(base: Path) -> tuple[Path, int]:
    while True:
        path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
        lock = _lock(path)
        if lock is not None:
            return path, lock


def _lock(path: Path) -> int | None:
    """Lock a directory; None if it is another's, is no directory or is gone."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), path.stat()):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _sweep(base: Path, account: Account) -> None:
    for path in base.glob(f"{_PREFIX}*"):
        descriptor = _lock(path)
        if descriptor is None:
            continue
        try:
            status = os.fstat(descriptor)
            ours = status.st_uid in {os.geteuid(), account.uid} and stat.S_ISDIR(status.st_mode)
            if ours and live_server(path / _SOCKET_LOCK) is None:
                shutil.rmtree(path)
        finally:
            os.close(descriptor)
