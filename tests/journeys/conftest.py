"""The world that the pages are tried in."""

import pytest
from django.core.cache import cache

from tests.journeys.cast import World


@pytest.fixture
def world(db: None) -> World:
    """Two clinics, their people and rows; nobody has asked for anything too often yet."""
    cache.clear()
    return World()
