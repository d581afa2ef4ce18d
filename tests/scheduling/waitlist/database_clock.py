"""A database whose clock stands still until it is put forward, for whole chains of offers.

`clock_timestamp()` is found by its name on the search path; before PostgreSQL's own stands one that
reads a setting. So everything that is compared with the database's clock follows it, functions of
the database included.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection

MAKE = """
CREATE SCHEMA IF NOT EXISTS stopped;
CREATE OR REPLACE FUNCTION stopped.clock_timestamp() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$ SELECT current_setting('daysheet.now')::timestamptz $$
"""


class DatabaseClock:
    """`now` is what this connection's database says it is."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        with connection.cursor() as cursor:
            cursor.execute(MAKE)
            cursor.execute("SET search_path = stopped, public, pg_catalog")
        self.set(now)

    def set(self, now: datetime) -> datetime:
        """Put the clock to an instant."""
        self.now = now
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('daysheet.now', %s, false)", [now.isoformat()])
        return now

    def forward(self, by: timedelta) -> datetime:
        """Let time pass; return what it is then."""
        return self.set(self.now + by)


@contextmanager
def database_clock(now: datetime) -> Iterator[DatabaseClock]:
    """Stop the clock of this connection's database at an instant."""
    try:
        yield DatabaseClock(now)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET search_path")
