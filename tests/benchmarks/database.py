"""A database of the benchmarks' own, made, migrated and dropped by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

from config.progress import step
from tests.benchmarks import NAME, SERVER

DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@contextmanager
def created() -> Iterator[None]:
    """Make the database that Django's settings name already, and drop it at the end."""
    if not SERVER:
        raise SystemExit("Set DATABASE_URL, or run `make bench`.")
    name = sql.Identifier(NAME)
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            with step("Migrating"):
                call_command("migrate", verbosity=0)
            yield
        finally:
            connections.close_all()
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def ask(question: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(question)
        (answer,) = cursor.fetchone()
    return int(answer)


def describe() -> str:
    """Return what matters of the server for these figures."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('fsync'),"
            " current_setting('synchronous_commit'), current_setting('shared_buffers')"
        )
        version, fsync, commits, buffers = cursor.fetchone()
    return (
        f"PostgreSQL {version}, fsync {fsync}, synchronous_commit {commits},"
        f" shared_buffers {buffers}"
    )
