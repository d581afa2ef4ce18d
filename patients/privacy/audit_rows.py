"""Reads the audit's rows in the order of sealing, every column, as bytes that always look the same.

The one place that knows how rows are read; what is made of them is decided in `patients.chain`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from psycopg import sql

from patients.chain import Place

TABLE = "patients_auditentry"
FIRST = ("id", "written_in", "written_on")
BEFORE_ALL = Place(0, -(2**63))
END = 2**63 - 1
# How values are written must not hang on a server's or a role's own settings.
FIXED = {
    "timezone": "UTC",
    "datestyle": "ISO, MDY",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "client_encoding": "UTF8",
}
COPY = """
COPY (SELECT {columns} FROM {table}
    WHERE written_on = {cluster}::bigint AND (written_in, id) > ({from_in}::xid8, {from_id}::bigint)
        AND (written_in, id) <= ({to_in}::xid8, {to_id}::bigint)
    ORDER BY written_on, written_in, id LIMIT {most}) TO STDOUT
"""
# Hops from cluster to cluster through the index instead of reading it.
CLUSTERS = """
WITH RECURSIVE seen (cluster) AS (
    (SELECT written_on FROM patients_auditentry ORDER BY written_on LIMIT 1)
    UNION ALL
    SELECT (SELECT written_on FROM patients_auditentry WHERE written_on > seen.cluster
            ORDER BY written_on LIMIT 1)
    FROM seen WHERE seen.cluster IS NOT NULL)
SELECT cluster FROM seen WHERE cluster IS NOT NULL
"""
SERVER = """
SELECT (pg_control_system()).system_identifier, (pg_control_checkpoint()).timeline_id,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Which cluster this is, and the oldest transaction that may still be running on it.

    All transactions with a lower number are over, and their rows can be seen by every later
    statement.
    """

    cluster: int
    timeline: int
    oldest_running: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows written on a cluster after one place and up to another, that included."""

    cluster: int
    after: Place
    through: Place


@contextmanager
def reading() -> Iterator[None]:
    """Open a transaction in which rows are written out in the one fixed way."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(FIXED))}",
            [part for setting in FIXED.items() for part in setting],
        )
        yield


def columns() -> list[str]:
    """Return the names of all columns of the table: the id, where it was written, the rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attname <> ALL(%s) ORDER BY attnum",
            [TABLE, list(FIRST)],
        )
        return [*FIRST, *(name for (name,) in cursor.fetchall())]


def server() -> Server:
    with connection.cursor() as cursor:
        cursor.execute(SERVER)
        return Server(*cursor.fetchone())


def clusters() -> list[int]:
    """Return the clusters on which rows were written, by number."""
    with connection.cursor() as cursor:
        cursor.execute(CLUSTERS)
        return [cluster for (cluster,) in cursor.fetchall()]


def lines(stretch: Stretch, names: Sequence[str], *, most: int | None = None) -> Iterator[bytes]:
    """Yield each row as one line of COPY in text, oldest place first. Call it inside `reading`."""
    query = sql.SQL(COPY).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        table=sql.Identifier(TABLE),
        cluster=sql.Literal(str(stretch.cluster)),
        from_in=sql.Literal(str(stretch.after.transaction)),
        from_id=sql.Literal(str(stretch.after.row)),
        to_in=sql.Literal(str(stretch.through.transaction)),
        to_id=sql.Literal(str(stretch.through.row)),
        most=sql.SQL("ALL") if most is None else sql.Literal(most),
    )
    rest = b""
    with connection.cursor() as cursor, cursor.copy(query) as copied:
        for block in copied:
            *whole, rest = (rest + bytes(block)).split(b"\n")
            yield from whole
