"""Between tests that commit, the tables are emptied about as quickly as they were filled.

Django truncates every table and writes what migrating leaves anew (types of content, permissions,
roles): half a second after a test of ten rows, most of it for new files. Here the rows that were
added are deleted, and what migrating leaves is left; where that does not do, Django's way is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.core.management.sql import emit_post_migrate_signal, sql_flush
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

TABLES = """
SELECT relname,
    (SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = pg_class.oid AND indisprimary AND indnkeyatts = 1),
    ARRAY(SELECT CASE tgenabled WHEN 'A' THEN 'ALWAYS TRIGGER ' ELSE 'TRIGGER ' END || tgname
        FROM pg_trigger WHERE tgrelid = pg_class.oid AND NOT tgisinternal)
FROM pg_class WHERE relname = ANY (%s) AND relnamespace = 'public'::regnamespace
"""
# Rows that a test may add to a table before truncating is the quicker way.
FEW = 300


@dataclass(frozen=True, slots=True)
class Table:
    """A table, how its triggers are enabled, and what migrating leaves in it: keys and a digest."""

    name: str
    key: str | None
    triggers: tuple[str, ...]
    kept: tuple[str, ...] = ()
    digest: str | None = None

    def rest(self) -> None:
        for trigger in self.triggers:
            _do(f"ALTER TABLE {self.name} DISABLE {trigger.removeprefix('ALWAYS ')}")

    def wake(self) -> None:
        for trigger in self.triggers:
            _do(f"ALTER TABLE {self.name} ENABLE {trigger}")

    def delete_added(self) -> None:
        if self.kept:
            _do(f"DELETE FROM {self.name} WHERE {self.key}::text <> ALL (%s)", [*self.kept])  # noqa: S608
        else:
            _do(f"DELETE FROM {self.name}")  # noqa: S608


class Emptying:
    """Empties this process's database; knows what migrating leaves once that was written anew."""

    def __init__(self) -> None:
        self.tables: list[Table] = []

    def learn(self) -> None:
        """Take what is in the tables now for what migrating leaves."""
        found = _tables()
        added = _added(found)
        digests = _digests([table for table in found if added[table.name]])
        self.tables = [
            replace(table, kept=_keys(table), digest=digests[table.name])
            if table.name in digests
            else table
            for table in found
        ]

    def delete_added(self) -> bool:
        """Delete what tests added; return whether the tables are again as migrating leaves them."""
        if not self.tables:
            return False
        added = _added(self.tables)
        filled = [table for table in self.tables if added[table.name]]
        if any(not 0 < added[table.name] <= FEW for table in filled):
            return False
        with _resting(filled):
            for table in filled:
                table.delete_added()
        kept = [table for table in self.tables if table.kept]
        return _digests(kept) == {table.name: table.digest for table in kept}


@contextmanager
def _resting(tables: Collection[Table]) -> Iterator[None]:
    """Let no trigger of these tables refuse what is done, or write because of it.

    Their owner can do this, whom a server for tests takes no superuser to be.
    """
    with transaction.atomic():
        for table in tables:
            table.rest()
        yield
        _do("SET CONSTRAINTS ALL IMMEDIATE")  # a table that has them to check cannot be altered
        for table in tables:
            table.wake()


def _do(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def _asked(statement: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        rows: list[Any] = cursor.fetchall()
        return rows


def _tables() -> list[Table]:
    names = connection.introspection.django_table_names(only_existing=True)
    return [Table(name, key, tuple(triggers)) for name, key, triggers in _asked(TABLES, names)]


def _keys(table: Table) -> tuple[str, ...]:
    rows = _asked(f"SELECT {table.key}::text FROM {table.name}")  # noqa: S608
    return tuple(key for (key,) in rows)


def _digests(tables: Collection[Table]) -> dict[str, str | None]:
    """Return the digest of all rows of each table, by its name."""
    return _by_name(
        f"SELECT '{t.name}', md5(string_agg(t::text, ' ' ORDER BY t.{t.key})) FROM {t.name} t"  # noqa: S608
        for t in tables
    )


def _added(tables: Collection[Table]) -> dict[str, int]:
    """Return how many rows each table has beyond those it keeps, counted to one more than few."""
    return _by_name(
        f"SELECT '{t.name}', count(*) - {len(t.kept)}"  # noqa: S608
        f" FROM (SELECT FROM {t.name} LIMIT {len(t.kept) + FEW + 1}) few"
        for t in tables
    )


def _by_name(questions: Iterable[str]) -> dict[str, Any]:
    """Return the answer for each table by its name, in one round trip."""
    return dict(_asked(" UNION ALL ".join(questions)))


@contextmanager
def quick_emptying() -> Iterator[None]:
    """Let Django's `flush` delete what tests added, and truncate where that is too much."""
    emptying, execute = Emptying(), DatabaseOperations.execute_sql_flush

    def statements(*args: Any, **kwargs: Any) -> list[str]:
        return [] if emptying.delete_added() else sql_flush(*args, **kwargs)

    def executed(self: DatabaseOperations, sql: list[str]) -> None:
        if sql:
            with _resting(_tables()):
                execute(self, sql)

    def written_anew(*args: Any, **kwargs: Any) -> None:
        emit_post_migrate_signal(*args, **kwargs)
        emptying.learn()

    command = "django.core.management.commands.flush"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(f"{command}.sql_flush", statements)
        patched.setattr(f"{command}.emit_post_migrate_signal", written_anew)
        patched.setattr(DatabaseOperations, "execute_sql_flush", executed)
        yield
