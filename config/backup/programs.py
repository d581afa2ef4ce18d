"""Decides which pg_dump and pg_restore to run, and how they reach a database without showing its
password to other processes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from config.backup.errors import BackupFailed
from config.embedded import binaries


@dataclass(frozen=True)
class Target:
    """A database as libpq reaches it: parameters that may be shown, and the password apart."""

    parameters: dict[str, str]
    password: str

    @property
    def conninfo(self) -> str:
        return make_conninfo("", **self.parameters)

    def environment(self) -> dict[str, str]:
        """Return the environment of a program that connects there."""
        return os.environ | ({"PGPASSWORD": self.password} if self.password else {})

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Return a connection of our own, beside Django's. Raises BackupFailed."""
        secret = {"password": self.password} if self.password else {}
        try:
            return psycopg.connect(make_conninfo(self.conninfo, **secret), prepare_threshold=None)
        except psycopg.OperationalError as error:
            raise BackupFailed("The database cannot be reached.") from error


def target(settings: dict[str, Any]) -> Target:
    """Return what one of Django's DATABASES entries says to libpq, TLS included."""
    known = {each.keyword.decode() for each in pq.Conninfo.get_defaults()}
    options = settings.get("OPTIONS", {})
    parameters = {name: str(value) for name, value in options.items() if name in known}
    named = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "NAME"}
    parameters |= {name: str(settings[key]) for name, key in named.items() if settings.get(key)}
    return Target(parameters, str(settings.get("PASSWORD") or ""))


def program(name: str, *, major: int, directory: Path | None = None) -> Path:
    """Return the path of pg_dump or pg_restore: of this major version, else the next newer one.

    An older program may leave out what it does not know, so none is used. `directory` names the
    place to look at instead of all known ones. Raises BackupFailed.
    """
    found: dict[int, Path] = {}
    for place in [directory] if directory else _places(name):
        version = _version(place / name)
        if version is not None:
            found.setdefault(version, place / name)
    fitting = [version for version in found if version >= major]
    if not fitting:
        raise BackupFailed(
            f"No {name} of PostgreSQL {major} or newer was found. Install the client programs of "
            f"the server's version, or name their directory in POSTGRES_PROGRAMS."
        )
    return found[min(fitting)]


def _places(name: str) -> Iterator[Path]:
    if named := os.environ.get("POSTGRES_PROGRAMS"):
        yield Path(named)
        return
    if on_path := shutil.which(name):
        yield Path(on_path).parent
    yield from binaries.places()


def _version(path: Path) -> int | None:
    if not path.is_file():
        return None
    answer = subprocess.run(  # noqa: S603 - a fixed program name
        [path, "--version"], capture_output=True, text=True, check=False
    )
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else None
