"""Restores a backup into a PostgreSQL of its own, has a process of the site prove it there, and
leaves nothing behind. What a drill takes is what the real thing would take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from config import embedded
from config.backup import restoring
from config.backup.errors import BackupFailed
from config.backup.making import Progress
from config.backup.manifest import Manifest
from config.backup.programs import Target
from config.embedded import EmbeddedError, binaries

Tamper = Callable[[Target], None]


def drill(
    sealed: BinaryIO,
    *,
    keys: dict[str, bytes],
    progress: Progress,
    project: Path,
    before_proof: Tamper = lambda _copy: None,
) -> dict[str, Any]:
    """Return the figures of a backup that restores, `rto_seconds` and `rpo_seconds` among them.

    `before_proof` may look at, or spoil, the copy. Raises BackupFailed with the first thing that
    is not as it was.
    """
    began = time.monotonic()
    taken = restoring.read_manifest(sealed, keys=keys)
    sealed.seek(0)
    age = (datetime.now(UTC) - taken.taken_at).total_seconds()
    programs = _programs(taken.server_major)
    try:
        with embedded.server(durable=True, binaries=programs) as url:
            copy = _target(url)
            restoring.restore(sealed, target=copy, keys=keys, progress=progress, programs=programs)
            before_proof(copy)
            figures = _prove(taken, url, project)
    except EmbeddedError as error:
        raise BackupFailed(str(error)) from error
    rto = time.monotonic() - began
    return {"rto_seconds": round(rto, 1), "rpo_seconds": round(age), **figures}


def _programs(major: int) -> Path:
    """Return the directory of a server of the backup's version, or of the newest there is."""
    try:
        return binaries.find(major=major).directory
    except EmbeddedError:
        return binaries.find().directory


def _target(url: str) -> Target:
    """Return the throw-away server's database, which its Unix socket alone protects."""
    user, _, rest = url.removeprefix("postgresql://").partition("@:")
    place, _, host = rest.partition("?host=")
    port, _, name = place.partition("/")
    return Target({"user": user, "port": port, "dbname": name, "host": host}, password="")


def _prove(taken: Manifest, url: str, project: Path) -> dict[str, Any]:
    """Have a process with the copy as its database prove it; return what it found."""
    answer = subprocess.run(
        [sys.executable, "manage.py", "prove_restore"],
        cwd=project,
        env=os.environ | {"DATABASE_URL": url, "PGOPTIONS": ""},
        input=taken.encoded(),
        capture_output=True,
        check=False,
    )
    lines = answer.stdout.decode(errors="replace").splitlines()
    if answer.returncode:
        last = answer.stderr.decode(errors="replace").strip().splitlines()[-1:]
        words = (
            last[0].removeprefix("CommandError: ") if last else "The proof ended without a word."
        )
        raise BackupFailed(words)
    figures: dict[str, Any] = json.loads(lines[-1])
    return figures
