"""What Redis keeps comes back whole and under its own key, or not at all; and whatever becomes of
Redis, it is left alone, probed and used again."""

from __future__ import annotations

import logging
import random
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling import block_store
from scheduling.block_store import PREFIX, fetch, is_on, keep, key, keys, sealed
from tests.config.processes import wait_until
from tests.scheduling.redis_servers import RedisServer
from tests.scheduling.stopped_clock import StoppedClock

NAMES = [key(bytes(15) + bytes([number]), b"8 stamps", 15, 2_900) for number in range(5)]
VALUES = {name: b"block of " + name[-9:] for name in NAMES}
ROOT = Path(__file__).parents[2]
Log = pytest.LogCaptureFixture


def told(log: Log, event: str) -> list[Any]:
    return [line for line in log.records if line.getMessage().startswith(event)]


def back_on(clock: StoppedClock) -> bool:
    """Put the clock to the next probe and wait for it."""
    clock.now += 30
    return wait_until(is_on)


def test_a_key_tells_provider_stamp_grid_and_block_apart() -> None:
    one = (bytes(16), bytes(8), 15, 100)
    others = [
        (b"\1" * 16, bytes(8), 15, 100),
        (bytes(16), b"\1" * 8, 15, 100),
        (bytes(16), bytes(8), 5, 100),
        (bytes(16), bytes(8), 15, -100),
    ]
    assert len({key(*one), *(key(*other) for other in others)}) == 5
    assert key(*one).startswith(PREFIX)


@given(st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8))))
def test_many_keys_are_made_as_one_is(entries: list[tuple[bytes, bytes]]) -> None:
    packed = b"".join(provider + stamp for provider, stamp in entries)
    assert keys(packed, 5, 2_900) == [key(*entry, 5, 2_900) for entry in entries]


def test_what_is_no_list_of_ids_and_stamps_makes_no_keys() -> None:
    with pytest.raises(struct.error):
        keys(bytes(25), 15, 1)


@given(st.binary(), st.binary(), st.integers(1, 7), st.data())
def test_a_value_opens_under_its_own_key_and_whole_alone(
    name: bytes, value: bytes, bit: int, data: st.DataObject
) -> None:
    whole = sealed(name, value)
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :]
    found = block_store._unsealed(
        [name, name, name, name + b"x"], [whole, flipped, whole[:place], whole]
    )
    assert found[0] == value
    assert found[1:] == [None] * 3


def test_without_redis_nothing_is_kept_and_nothing_is_there() -> None:
    assert not is_on()
    keep(VALUES)
    assert fetch(NAMES) == [None] * 5


def test_without_redis_its_library_is_not_loaded() -> None:
    code = "import sys; from django.conf import settings; settings.configure(CACHES={})"
    code += "; import scheduling.block_store as store"
    code += "; store.fetch([b'a']); store.keep({b'a': b'b'}); print('redis' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


@pytest.mark.redis
def test_what_is_kept_comes_back_in_the_order_asked_for(redis_server: RedisServer) -> None:
    keep({name: VALUES[name] for name in NAMES[1:]})
    assert fetch(NAMES[::-1]) == [*(VALUES[name] for name in NAMES[:0:-1]), None]
    assert fetch([]) == []


@pytest.mark.redis
def test_thousands_come_back_in_order(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(block_store, "IN_ONE_TRIP", 1_200)
    names = keys(random.Random(7).randbytes(24 * 3_001), 15, 2_900)
    keep({name: name[-20:] for name in names[::2]}, seconds=60)
    expected = [None if number % 2 else name[-20:] for number, name in enumerate(names)]
    assert fetch(names) == expected


@pytest.mark.redis
def test_values_end_two_hours_after_a_day(redis_server: RedisServer) -> None:
    keep(VALUES)
    with redis_server.client() as client:
        assert {client.ttl(name) for name in NAMES} <= {93_599, 93_600}


@pytest.mark.redis
def test_keeping_ends_when_its_time_is_over(redis_server: RedisServer) -> None:
    keep(VALUES, seconds=0)
    assert fetch(NAMES) == [None] * 5
    assert is_on()


@pytest.mark.redis
def test_values_that_were_damaged_swapped_or_are_none_are_missing(
    redis_server: RedisServer, caplog: Log, redis_clock: StoppedClock
) -> None:
    keep(VALUES)
    with redis_server.client() as client:
        whole = [client.get(name) for name in NAMES]
        assert all(isinstance(value, bytes) for value in whole)
        client.set(NAMES[0], whole[1])
        client.set(NAMES[1], whole[0])
        client.set(NAMES[2], whole[2][:-1])
        client.delete(NAMES[3])
        client.rpush(NAMES[3], whole[3])
    assert fetch(NAMES) == [None] * 4 + [VALUES[NAMES[4]]]
    fetch(NAMES)
    assert [line.rows for line in told(caplog, "blocks.damaged")] == [3]
    redis_clock.now += 60
    fetch(NAMES)
    assert [line.rows for line in told(caplog, "blocks.damaged")] == [3, 6]

    keep(VALUES)
    assert fetch(NAMES) == list(VALUES.values())
    assert is_on()


@pytest.mark.redis
def test_a_redis_that_takes_nothing_more_is_still_read(
    redis_server: RedisServer, caplog: Log
) -> None:
    keep(dict(list(VALUES.items())[:2]))
    with redis_server.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
    keep(VALUES)
    assert fetch(NAMES) == [*list(VALUES.values())[:2], None, None, None]
    assert is_on()
    assert [line.rows for line in told(caplog, "blocks.not_kept")] == [5]


@pytest.mark.redis
def test_a_flushed_redis_is_filled_again(redis_server: RedisServer) -> None:
    keep(VALUES)
    with redis_server.client() as client:
        client.flushall()
    assert fetch(NAMES) == [None] * 5
    keep(VALUES)
    assert fetch(NAMES) == list(VALUES.values())


@pytest.mark.redis
def test_a_restart_between_two_questions_goes_unnoticed(redis_server: RedisServer) -> None:
    keep(VALUES)
    redis_server.kill()
    redis_server.start()
    assert fetch(NAMES) == [None] * 5
    assert is_on()


@pytest.mark.redis
def test_a_killed_redis_is_left_alone_probed_and_used_again(
    redis_server: RedisServer, caplog: Log, redis_clock: StoppedClock
) -> None:
    caplog.set_level(logging.INFO)
    keep(VALUES)
    redis_server.kill()
    for _ in range(3):
        assert fetch(NAMES) == [None] * 5
        keep(VALUES)
        assert not is_on()
    redis_server.start()
    assert not is_on()

    assert back_on(redis_clock)
    keep(VALUES)
    assert fetch(NAMES) == list(VALUES.values())
    assert len(told(caplog, "redis.away")) == 1
    assert len(told(caplog, "redis.back")) == 1


@pytest.mark.redis
def test_a_frozen_redis_fails_its_probe_and_is_used_once_it_thaws(
    redis_server: RedisServer, caplog: Log, redis_clock: StoppedClock, probes: list[bool]
) -> None:
    keep(VALUES)
    redis_server.freeze()
    assert fetch(NAMES) == [None] * 5
    redis_clock.now += 30
    assert [is_on() for _ in range(5)] == [False] * 5
    assert wait_until(lambda: probes == [False])

    redis_server.thaw()
    assert not is_on()
    assert back_on(redis_clock)
    assert probes == [False, True]
    assert fetch(NAMES) == list(VALUES.values())
    assert len(told(caplog, "redis.away")) == 1


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether Redis was in use after each probe, in their order."""
    found: list[bool] = []
    probe = block_store._probe

    def noted() -> None:
        probe()
        found.append(block_store.breaker.is_closed)

    monkeypatch.setattr(block_store, "_probe", noted)
    return found


@pytest.mark.redis
def test_of_many_threads_one_tells_of_it_and_one_probes(
    redis_server: RedisServer, caplog: Log, redis_clock: StoppedClock, probes: list[bool]
) -> None:
    redis_server.freeze()
    together = Barrier(8)

    def ask(_number: int) -> list[bytes | None]:
        together.wait(timeout=10)
        return fetch(NAMES)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [[None] * 5] * 8
        redis_clock.now += 30
        assert list(pool.map(ask, range(8))) == [[None] * 5] * 8
    assert wait_until(lambda: bool(probes))
    assert probes == [False]
    assert len(told(caplog, "redis.away")) == 1


@pytest.mark.redis
def test_a_line_of_the_log_names_kinds_and_no_address(
    redis_server: RedisServer, caplog: Log
) -> None:
    redis_server.kill()
    fetch(NAMES)
    (line,) = told(caplog, "redis.away")
    assert line.getMessage() == "redis.away: ConnectionError"
