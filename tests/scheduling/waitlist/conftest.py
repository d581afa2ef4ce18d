"""The scene in which chains of offers are played."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.models import Clinic, Provider, VisitType
from tests.scheduling.waitlist.database_clock import database_clock
from tests.scheduling.waitlist.scene import Scene, monday


@pytest.fixture
def scene(clinic: Clinic, provider: Provider, visit_type: VisitType) -> Iterator[Scene]:
    with database_clock(monday("09:00")) as clock:
        yield Scene(clock, clinic, provider, visit_type)
