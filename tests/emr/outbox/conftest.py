"""One scene for each way of speaking with a record system."""

from __future__ import annotations

import pytest

from providers.models import Provider, VisitType
from tests.emr.outbox.scene import Scene, scene_at
from tests.emr.peers import Peer


@pytest.fixture
def at_generic(generic: Peer, provider: Provider, visit_type: VisitType) -> Scene:
    return scene_at(generic, provider, visit_type)


@pytest.fixture
def at_oracle(oracle: Peer, provider: Provider, visit_type: VisitType) -> Scene:
    return scene_at(oracle, provider, visit_type)


@pytest.fixture
def at_epic(epic: Peer, provider: Provider, visit_type: VisitType) -> Scene:
    return scene_at(epic, provider, visit_type)
