"""One world for all journeys of a module: each starts from it as it was first made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from pytest_django.plugin import DjangoDbBlocker

from tests.journeys.cast import World


@contextmanager
def undone() -> Iterator[None]:
    """Undo at the end whatever the block wrote, durable transactions included."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined] # as Django's own TestCase has it
    with block:
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def first_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        yield World()


@pytest.fixture
def world(first_world: World) -> Iterator[World]:
    """Two clinics, their people and rows; what a test writes is undone after it."""
    with undone():
        yield first_world
