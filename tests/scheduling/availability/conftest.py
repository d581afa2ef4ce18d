"""A real Redis that availability is kept in, or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django_redis.pool import ConnectionFactory

from config.settings.base import redis_cache
from scheduling import block_store
from scheduling.breaker import Breaker
from tests.scheduling.redis_servers import RedisServer, running_redis


@pytest.fixture(scope="session")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server
        if pool := ConnectionFactory._pools.pop(server.url, None):
            pool.disconnect()


@pytest.fixture
def redis_on(one_redis: RedisServer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> RedisServer:
    """Availability keeps its blocks in an empty Redis, and waits for it as long as it takes."""
    cache = redis_cache(one_redis.url)
    cache["OPTIONS"] |= {"SOCKET_CONNECT_TIMEOUT": 10, "SOCKET_TIMEOUT": 10}
    settings.CACHES = settings.CACHES | {"redis": cache}
    monkeypatch.setattr(block_store, "SECONDS", 10)
    monkeypatch.setattr(block_store, "breaker", Breaker(seconds=30))
    with one_redis.client() as client:
        client.flushall()
    return one_redis
