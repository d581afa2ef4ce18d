"""A backup of the tests' own database, and an empty database to restore into."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from config.backup import making
from config.backup.manifest import Manifest
from config.backup.programs import Target, target

KEYS = {"b1": secrets.token_bytes(32)}


def silent(_count: int) -> None:
    """Show no progress."""


@pytest.fixture(scope="session")
def source(django_db_setup: None) -> Target:
    return target(connection.settings_dict)


@pytest.fixture(scope="session")
def backup(source: Target, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """The file, and what it says that it holds."""
    path = tmp_path_factory.mktemp("backups") / "clinic.backup"
    with making.whole_file(path) as output:
        taken = making.make(output, source=source, keys=KEYS, progress=silent)
    return path, taken


@pytest.fixture
def empty(source: Target) -> Iterator[Target]:
    """A new database on the tests' server, dropped at the end."""
    name = f"{source.parameters['dbname']}_copy"
    place = Target(source.parameters | {"dbname": name}, source.password)
    _run(source, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    _run(source, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield place
    _run(source, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _run(source: Target, statement: sql.Composed) -> None:
    postgres = Target(source.parameters | {"dbname": "postgres"}, source.password)
    with psycopg.connect(postgres.conninfo, autocommit=True) as link:
        link.execute(statement)
