"""A Redis of the benchmarks' own on a unix socket, used by this process and by what it starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.test.utils import override_settings

from config.settings.base import redis_cache
from scheduling.block_store import PREFIX
from tests.scheduling.redis_servers import running_redis


class OtherKeys(Exception):
    """A search asked for keys that are not the ones whose multi-get stands beside it."""


class Cache:
    """What the product has stored, seen by a client that waits as long as it takes."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def flush(self) -> None:
        self.client.flushdb()

    def stored(self) -> list[bytes]:
        """Return the keys of all blocks, in an order that a search might ask for them in."""
        return sorted(self.client.scan_iter(match=PREFIX + b"*", count=10_000))

    def multi_get(self, keys: Sequence[bytes]) -> list[bytes]:
        values: list[bytes] = self.client.mget(keys)
        return values

    @contextmanager
    def asked_for(self, keys: Sequence[bytes], *, times: int = 1) -> Iterator[None]:
        """Refuse a block that asks for any other keys than these, or less often. Raises OtherKeys.

        So it does where the product left Redis alone, as it may on a machine that is too busy.
        """
        hits, misses = self._asked()
        yield
        found, missing = self._asked()
        if (found - hits, missing - misses) != (times * len(keys), 0):
            raise OtherKeys(
                f"{found - hits} hits and {missing - misses} misses for {times} times {len(keys)}"
            )

    def _asked(self) -> tuple[int, int]:
        """Return how many keys were asked for so far that were there, and that were not."""
        told = self.client.info("stats")
        return int(told["keyspace_hits"]), int(told["keyspace_misses"])

    @contextmanager
    def absent(self) -> Iterator[None]:
        """Leave the product without a Redis for the length of the block."""
        kept = {name: cache for name, cache in settings.CACHES.items() if name != "redis"}
        with override_settings(CACHES=kept, REDIS_URL=""):
            yield


@contextmanager
def redis_beside() -> Iterator[Cache]:
    """Start a Redis that saves nothing; this process uses it, and so does whatever it starts."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-redis-") as folder,
        running_redis(Path(folder)) as server,
        override_settings(
            CACHES={**settings.CACHES, "redis": redis_cache(server.url)}, REDIS_URL=server.url
        ),
        patch.dict(os.environ, {"REDIS_URL": server.url}),
        server.client() as client,
    ):
        yield Cache(client)
