"""PostgreSQL's own log, with real errors provoked: it names the error and none of the values."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from config import embedded
from config.settings.base import database

NAME, BIRTHDAY = "Quovaxelda", "1931-07-23"
TABLE = "CREATE TABLE person (name text PRIMARY KEY, born date CHECK (born > '1940-01-01'))"


def provoke(url: str, *, careless: bool) -> None:
    """Have three statements refused that carry values, as Django's connections send them.

    `careless` is a server without our settings and a client that writes values into the SQL.
    """
    settings = database(url)
    user = "postgres" if careless else settings["USER"]
    bound = psycopg.Cursor if settings["OPTIONS"]["server_side_binding"] else psycopg.ClientCursor
    with psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        user=user,
        dbname=settings["NAME"],
        cursor_factory=psycopg.ClientCursor if careless else bound,
        autocommit=True,
    ) as link:
        if careless:
            link.execute("SET log_min_error_statement = 'error'")
            link.execute("SET log_error_verbosity = 'default'")
        link.execute("DROP TABLE IF EXISTS person")
        link.execute(TABLE)
        link.execute("INSERT INTO person VALUES (%s, NULL)", [NAME])
        with pytest.raises(psycopg.errors.UniqueViolation):
            link.execute("INSERT INTO person VALUES (%s, NULL)", [NAME])
        with pytest.raises(psycopg.errors.CheckViolation):
            link.execute("INSERT INTO person VALUES ('x', %s)", [BIRTHDAY])
        with pytest.raises(psycopg.errors.DivisionByZero):
            link.execute("SELECT 1 / (length(%s) - length(%s))", [NAME, NAME])
        if careless:
            link.execute("DROP TABLE person")


def test_an_error_is_logged_without_the_values_of_its_statement() -> None:
    with embedded.server() as url:
        log = Path(url.split("host=")[1]) / "log"
        provoke(url, careless=False)
        written = log.read_text()
        assert "duplicate key value violates unique constraint" in written
        assert "violates check constraint" in written
        assert "division by zero" in written
        assert NAME not in written
        assert BIRTHDAY not in written


def test_without_our_settings_the_values_would_stand_there() -> None:
    """Or the test above would prove nothing."""
    with embedded.server() as url:
        provoke(url, careless=True)
        written = (Path(url.split("host=")[1]) / "log").read_text()
    assert NAME in written
    assert BIRTHDAY in written
