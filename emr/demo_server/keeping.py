"""Keeps a store's versions in one file, so that a server that starts again knows what it knew."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from emr.demo_server.store import Resource, Store, Version

_TABLE = """CREATE TABLE IF NOT EXISTS version (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT
)"""


class Kept:
    """An SQLite file; each change of the store is on disk before it is answered."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error for a file that is something else."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(_TABLE)

    def versions(self) -> Iterator[Version]:
        """Yield all versions in the order in which they were written."""
        rows = self._file.execute("SELECT kind, id, body FROM version ORDER BY number")
        for kind, resource_id, body in rows:
            yield kind, resource_id, json.loads(body) if body else None

    def write(self, kind: str, resource_id: str, resource: Resource | None) -> None:
        body = json.dumps(resource) if resource else None
        statement = "INSERT INTO version (kind, id, body) VALUES (?, ?, ?)"
        with self._lock:
            self._file.execute(statement, (kind, resource_id, body))

    def close(self) -> None:
        with self._lock:
            self._file.close()


def open_store(path: Path | None) -> tuple[Store, Kept | None]:
    """Return the store of a file, or one that forgets where there is none."""
    if path is None:
        return Store(), None
    kept = Kept(path)
    return Store(kept.versions()), kept
