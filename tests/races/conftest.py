"""A stage on real, committed rows, set up once per module and emptied between the scenes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.races.stage import CAST, SCENES, Stage, assert_sound, clear, set_up


@pytest.fixture(scope="module")
def _house(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    with django_db_blocker.unblock():
        clear(CAST)
        yield set_up()
        clear(CAST)


@pytest.fixture
def stage(_house: Stage) -> Iterator[Stage]:
    """After each scene the rows are asked whether anybody is in two places."""
    yield _house
    assert_sound()
    clear(SCENES)
