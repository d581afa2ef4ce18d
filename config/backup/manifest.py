"""What a database holds at one moment, in numbers: what a restored copy must equal. Names tables,
counts rows and adds up digests of them; keeps nothing of what they say."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

FORMAT = 1
CASTS_AND_BRACKETS = re.compile(r"::[a-z ]+(\(\d+\))?(\[\])?|[()\s]")
# How values are written as text must not depend on who asks.
PLAIN = """
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL search_path = public;
"""
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1
"""
# Everything that guards the rows, with the state that it must be in: enabled, validated, ready.
GUARDS = """
SELECT 'constraint', c.relname, k.conname::text, pg_get_constraintdef(k.oid), k.convalidated
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND k.contype <> 't'
UNION ALL
SELECT 'index', t.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid AND x.indisready
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = 'public'
UNION ALL
SELECT 'trigger', c.relname, g.tgname, pg_get_triggerdef(g.oid), g.tgenabled IN ('O', 'A')
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND NOT g.tgisinternal
UNION ALL
SELECT 'foreign key check', c.relname, k.conname || ' ' || g.tgfoid::regproc::text, '',
    g.tgenabled IN ('O', 'A')
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_constraint k ON k.oid = g.tgconstraint
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND g.tgisinternal
UNION ALL
SELECT 'function', '', p.oid::regprocedure::text, md5(p.prosrc), true
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'public' AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows a table has, and the sum of their digests in any order."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class Guard:
    """One constraint, index, trigger or function; `is_sound` says that it does its work."""

    kind: str
    table: str
    name: str
    definition: str
    is_sound: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" on {self.table}" if self.table else "")

    @property
    def meaning(self) -> str:
        """Return the definition without casts and brackets: PostgreSQL sets those anew each time
        that it reads its own words."""
        return CASTS_AND_BRACKETS.sub("", self.definition)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One moment of a database. `audit_head` is the last seal's number and signature, if any."""

    taken_at: datetime
    server_version: int
    migrations: list[list[str]]
    tables: dict[str, Rows]
    guards: list[Guard]
    audit_head: list[Any] = field(default_factory=list)
    version: int = FORMAT

    @property
    def server_major(self) -> int:
        return self.server_version // 10_000

    def encoded(self) -> bytes:
        return json.dumps(asdict(self), default=datetime.isoformat).encode()

    @classmethod
    def decoded(cls, data: bytes) -> Manifest:
        """Return what `encoded` wrote. Raises ValueError of a later format."""
        found = json.loads(data)
        if found["version"] != FORMAT:
            raise ValueError(f"The backup's manifest has the format {found['version']}.")
        found["taken_at"] = datetime.fromisoformat(found["taken_at"])
        found["tables"] = {name: Rows(**rows) for name, rows in found["tables"].items()}
        found["guards"] = [Guard(**guard) for guard in found["guards"]]
        return cls(**found)


def take(connection: psycopg.Connection[tuple[Any, ...]]) -> Manifest:
    """Return what the connection's transaction sees; it should be REPEATABLE READ."""
    connection.execute(PLAIN)
    (moment,) = _one(connection, "SELECT clock_timestamp()")
    names = [name for (name,) in connection.execute(TABLES)]
    return Manifest(
        taken_at=moment,
        server_version=connection.info.server_version,
        migrations=_migrations(connection) if "django_migrations" in names else [],
        tables={name: _rows(connection, name) for name in names},
        guards=[Guard(*row) for row in connection.execute(GUARDS)],
        audit_head=_audit_head(connection) if "patients_auditseal" in names else [],
    )


def _migrations(connection: psycopg.Connection[tuple[Any, ...]]) -> list[list[str]]:
    query = "SELECT app, name FROM django_migrations ORDER BY 1, 2"
    return [[app, name] for app, name in connection.execute(query)]


def _rows(connection: psycopg.Connection[tuple[Any, ...]], table: str) -> Rows:
    query = sql.SQL(
        "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t"
    ).format(sql.Identifier("public", table))
    count, digest = _one(connection, query)
    return Rows(count, digest)


def _audit_head(connection: psycopg.Connection[tuple[Any, ...]]) -> list[Any]:
    query = (
        "SELECT number, encode(signature, 'hex') FROM patients_auditseal "
        "ORDER BY number DESC LIMIT 1"
    )
    return [value for row in connection.execute(query) for value in row]


def _one(connection: psycopg.Connection[tuple[Any, ...]], query: Any) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    if row is None:
        raise LookupError("a query of one row gave none")
    return row
