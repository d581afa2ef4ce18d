"""Decides who runs the server: PostgreSQL refuses root, so root steps down for it."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.errors import EmbeddedError

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """The owner of the server's files and processes; `stepped_down` when we are root."""

    uid: int
    gid: int
    stepped_down: bool

    def process_options(self) -> dict[str, Any]:
        """Return the `subprocess` options of a program of this account, its user apart."""
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        return {"cwd": "/", "umask": 0o077, "env": environment}

    def step_down(self) -> dict[str, Any]:
        """Return the `subprocess` options that make a program run as this account."""
        own = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return self.process_options() | (own if self.stepped_down else {})

    def own(self, path: Path) -> None:
        """Give `path` to this account alone."""
        if self.stepped_down:
            os.chown(path, self.uid, self.gid)
        path.chmod(0o700)

    def can_run(self, program: Path) -> bool:
        """Tell whether this account may start `program` where it lies."""
        try:
            subprocess.run(  # noqa: S603 - a path of ours
                [program, "--version"], check=True, capture_output=True, **self.step_down()
            )
        except PermissionError:
            return False
        return True

    def can_reach(self, directory: Path) -> bool:
        """Tell whether this account may pass through `directory` and all above it."""
        if not self.stepped_down:
            return True
        return all(self._may_enter(place) for place in (directory, *directory.parents))

    def _may_enter(self, place: Path) -> bool:
        status = place.stat()
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def account_for(data: Path | None) -> Account:
    """Return who runs the server on `data`: its owner if it exists, else us or, for root, another.

    Raises EmbeddedError if the directory is another user's.
    """
    me = os.geteuid()
    owner = data.stat().st_uid if data and data.exists() else None
    if me != 0:
        if owner not in {None, me}:
            raise EmbeddedError(f"{data} belongs to another user. Remove it or set DATABASE_URL.")
        return Account(me, os.getegid(), stepped_down=False)
    if owner:
        return Account(owner, pwd.getpwuid(owner).pw_gid, stepped_down=True)
    return _unprivileged()


def _unprivileged() -> Account:
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in _UNPRIVILEGED:
        if name in known:
            return Account(known[name].pw_uid, known[name].pw_gid, stepped_down=True)
    raise EmbeddedError("PostgreSQL does not run as root: be another user or set DATABASE_URL.")
