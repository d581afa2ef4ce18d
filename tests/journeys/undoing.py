"""Lets one thing after the other be tried in the same world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.db import transaction


@contextmanager
def undone() -> Iterator[None]:
    """Take back what happens inside, by a bare savepoint: the site's own atomics may be durable."""
    cache.clear()
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)
