"""A database of the benchmarks' own, made, migrated, filled and dropped by them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.core.management import call_command
from django.db import connections

NAME = "daysheet_bench"


def beside(url: str) -> str:
    """Return the address of the benchmarks' own database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{NAME}"))


@contextmanager
def created(url: str) -> Iterator[None]:
    """Make the database that Django's settings name already, and drop it at the end."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {NAME}")
        server.execute(f"CREATE DATABASE {NAME}")
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            connections.close_all()
            server.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
