"""A stage on real, committed rows, set up for each scene and flushed after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django_q.conf import Conf

from tests.races.stage import Stage, assert_sound, set_up


@pytest.fixture(autouse=True)
def _the_worker_is_called_and_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a booking has to say is queued, as in a clinic; nobody works the queue here."""
    monkeypatch.setattr(Conf, "SYNC", False)


@pytest.fixture
def stage(transactional_db: None) -> Iterator[Stage]:
    """After each scene the rows are asked whether anybody is in two places."""
    scene = set_up()
    yield scene
    assert_sound()
