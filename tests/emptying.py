"""Between tests that commit, the tables are emptied about as quickly as they were filled.

Django truncates every table and writes what migrating leaves anew (types of content, permissions,
roles): half a second after a test of ten rows, most of it for new files. Here the rows that were
added are deleted, and what migrating leaves is left; where that does not do, Django's way is gone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.core.management.sql import emit_post_migrate_signal, sql_flush
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations

# What the owner of the tables can do to them, whom a server for tests takes no superuser to be.
GUARDS = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT tgname, tgrelid::regclass AS its FROM pg_trigger
        WHERE tgfoid = to_regproc('daysheet_refuse_rewriting')
    LOOP EXECUTE format('ALTER TABLE %s {} TRIGGER %I', one.its, one.tgname);
    END LOOP;
END $$
"""
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
    """A table, how its triggers are enabled, and what migrating leaves in it: keys and a sum."""

    name: str
    key: str | None
    triggers: tuple[str, ...]
    kept: tuple[str, ...] = ()
    sum: str | None = None

    def rest(self) -> None:
        """Let no trigger refuse what comes, or write because of it; truncating asks none either."""
        for trigger in self.triggers:
            _do(f"ALTER TABLE {self.name} DISABLE {trigger.removeprefix('ALWAYS ')}")

    def wake(self) -> None:
        for trigger in self.triggers:
            _do(f"ALTER TABLE {self.name} ENABLE {trigger}")

    def delete(self) -> None:
        """Delete what was added."""
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
        names = connection.introspection.django_table_names(only_existing=True)
        found = [Table(name, key, tuple(each)) for name, key, each in _asked(TABLES, names)]
        added = _added(found)
        sums = _sums([table for table in found if added[table.name]])
        self.tables = [
            replace(table, kept=_keys(table), sum=sums[table.name]) if table.name in sums else table
            for table in found
        ]

    def succeeds(self) -> bool:
        """Delete what tests added; return whether the tables are again as migrating leaves them."""
        added = _added(self.tables)
        filled = [table for table in self.tables if added[table.name]]
        if not self.tables or any(not 0 < added[table.name] <= FEW for table in filled):
            return False
        with transaction.atomic():
            for table in filled:
                table.rest()
            for table in filled:
                table.delete()
            _do("SET CONSTRAINTS ALL IMMEDIATE")
            for table in filled:
                table.wake()
        kept = [table for table in self.tables if table.kept]
        return _sums(kept) == {table.name: table.sum for table in kept}


def _do(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)


def _asked(statement: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        rows: list[Any] = cursor.fetchall()
        return rows


def _keys(table: Table) -> tuple[str, ...]:
    rows = _asked(f"SELECT {table.key}::text FROM {table.name}")  # noqa: S608
    return tuple(key for (key,) in rows)


def _sums(tables: Collection[Table]) -> dict[str, str | None]:
    """Return the sum of all rows of each table, by its name."""
    each = [
        f"SELECT '{t.name}', md5(string_agg(t::text, ' ' ORDER BY t.{t.key})) FROM {t.name} t"  # noqa: S608
        for t in tables
    ]
    return dict(_asked(" UNION ALL ".join(each))) if each else {}


def _added(tables: Collection[Table]) -> dict[str, int]:
    """Return how many rows each table has beyond those it keeps, counted to one more than few."""
    each = [
        f"SELECT '{t.name}', count(*) - {len(t.kept)}"  # noqa: S608
        f" FROM (SELECT FROM {t.name} LIMIT {len(t.kept) + FEW + 1}) few"
        for t in tables
    ]
    return dict(_asked(" UNION ALL ".join(each))) if each else {}


@contextmanager
def quick_emptying() -> Iterator[None]:
    """Let Django's `flush` delete what tests added, and truncate where that is too much."""
    emptying, execute = Emptying(), DatabaseOperations.execute_sql_flush

    def statements(*args: Any, **kwargs: Any) -> list[str]:
        return [] if emptying.succeeds() else sql_flush(*args, **kwargs)

    def executed(self: DatabaseOperations, sql: list[str]) -> None:
        if sql:
            execute(self, [GUARDS.format("DISABLE"), *sql, GUARDS.format("ENABLE")])

    def written_anew(*args: Any, **kwargs: Any) -> None:
        emit_post_migrate_signal(*args, **kwargs)
        emptying.learn()

    command = "django.core.management.commands.flush"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(f"{command}.sql_flush", statements)
        patched.setattr(f"{command}.emit_post_migrate_signal", written_anew)
        patched.setattr(DatabaseOperations, "execute_sql_flush", executed)
        yield
