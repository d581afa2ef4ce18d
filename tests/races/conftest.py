"""A stage on real, committed rows, set up for each scene and flushed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.races.stage import Stage, assert_sound, set_up


@pytest.fixture(autouse=True)
def _jobs_wait(jobs_wait: None) -> None:
    """A booking that races does not also send what it has to say."""


@pytest.fixture
def stage(transactional_db: None) -> Iterator[Stage]:
    """After each scene the rows are asked whether anybody is in two places."""
    scene = set_up()
    yield scene
    assert_sound()
