"""What the database refuses, by the name of the constraint that refuses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction


@contextmanager
def refused_by(constraint: str) -> Iterator[None]:
    """Expect the block to break this constraint, at the latest when it would commit.

    A bare savepoint, because durable verbs may run in the block and refuse an outer `atomic`.
    """
    start = transaction.savepoint()
    with pytest.raises(IntegrityError) as caught:
        yield
        commit_checks()
    transaction.set_rollback(rollback=False)
    transaction.savepoint_rollback(start)
    diagnosis = getattr(caught.value.__cause__, "diag", None)
    assert getattr(diagnosis, "constraint_name", None) == constraint


def commit_checks() -> None:
    """Ask now what the database would ask at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def forget_bumps() -> None:
    """Let every calendar look as if an earlier transaction had bumped it last."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE providers_providercalendar SET bumped_by = '1'")


def run(sql: str, parameters: Iterable[Any] = ()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))


def declared_in(app: str) -> set[str]:
    """Return the names of the constraints that an app's models declare."""
    models = apps.get_app_config(app).get_models()
    return {rule.name for model in models for rule in model._meta.constraints}
