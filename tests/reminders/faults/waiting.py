"""Waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import connection

PATIENCE = 90.0
PAUSE = 0.02
WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE %s
"""


def wait_for(comes: Callable[[], bool]) -> None:
    """Return when it is so; fail when it takes too long."""
    ends = time.monotonic() + PATIENCE
    while not comes():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(PAUSE)


def somebody_waits_for_a_lock(words: str) -> bool:
    """Whether a statement with these words is held up by somebody's lock."""
    with connection.cursor() as cursor:
        # Inside a transaction the server shows what everybody did at the first look, for ever.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(WAITS, [f"%{words}%"])
        return bool(cursor.fetchone()[0])
