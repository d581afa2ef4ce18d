"""Limits hold when many try at once, and nobody is locked out for good."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from unittest.mock import patch

import pytest
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.db import connection

from patients import throttle
from patients.models import TryCount
from patients.throttle import Limit, TooManyRequests

THREADS, LIMIT = 16, 5
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()


@pytest.mark.django_db
def test_a_limit_lets_so_many_pass_and_then_says_wait() -> None:
    limit = Limit("test", times=2)
    limit.spend("ada")
    limit.spend("ada")
    with pytest.raises(TooManyRequests, match="Wait 15 minutes"):
        limit.spend("ada")
    limit.spend("grace")


@pytest.mark.django_db
def test_a_window_later_one_may_ask_again() -> None:
    limit = Limit("test", times=1, seconds=60)
    with patch("time.time", return_value=NOON):
        limit.spend("ada")
        with pytest.raises(TooManyRequests):
            limit.spend("ada")
    with patch("time.time", return_value=NOON + 61):
        limit.spend("ada")


@pytest.mark.django_db
def test_what_is_given_back_does_not_count() -> None:
    limit = Limit("test", times=1)
    for _ in range(5):
        limit.spend("ada")
        limit.give_back("ada")


@pytest.mark.django_db
def test_the_table_names_nobody_and_is_swept() -> None:
    Limit("test", times=1).spend("ada@mail.example")
    row = TryCount.objects.get()
    assert "ada" not in row.key
    assert throttle.sweep(row.ends_at) == 0
    assert throttle.sweep(row.ends_at + timedelta(seconds=1)) == 1


def _passed(attempt: object, threads: int = THREADS) -> int:
    """Try from many threads at the same moment; return how many were let through."""
    together = Barrier(threads)

    def one(_number: int) -> bool:
        try:
            connection.ensure_connection()
            together.wait(timeout=10)
            return bool(attempt())  # type: ignore[operator]
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, range(threads)))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_counter_in_the_cache_is_overrun_by_tries_at_the_same_time() -> None:
    """Why the count is a statement of its own: reading and writing back lets others between."""
    call_command("createcachetable", "tries_in_cache", verbosity=0)
    cache = DatabaseCache("tries_in_cache", {})
    try:
        rounds = []
        for number in range(10):
            key = f"throttle:{number}"
            cache.set(key, 0)
            rounds.append(_passed(lambda key=key: cache.incr(key) <= LIMIT))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE tries_in_cache")
    assert max(rounds) > LIMIT


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_limit_is_not_overrun_by_tries_at_the_same_time() -> None:
    limit = Limit("race", times=LIMIT, seconds=3600)

    def attempt(who: str) -> bool:
        try:
            limit.spend(who)
        except TooManyRequests:
            return False
        return True

    rounds = [_passed(lambda who=str(n): attempt(who)) for n in range(20)]
    assert rounds == [LIMIT] * 20
