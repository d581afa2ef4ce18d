"""Redis is asked once and for a bounded time, and whatever else may answer in its place is not
believed."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from redis import SSLConnection, UnixDomainSocketConnection
from redis._parsers import _HiredisParser

from config.settings.base import redis_cache
from scheduling import block_store, bounded_redis
from scheduling.block_store import fetch, is_on, keep, key
from scheduling.bounded_redis import BoundedParser, BoundedPool
from tests.scheduling.redis_servers import RedisServer, says, used_by_the_site
from tests.scheduling.stopped_clock import StoppedClock

NAME = key(bytes(16), bytes(8), 15, 2_900)


@dataclass
class Attempts:
    """What was tried, each with the seconds it was given."""

    connects: list[float | None] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)

    @property
    def worst(self) -> float:
        return sum(filter(None, self.connects)) + sum(self.reads)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    found = Attempts()
    connect = socket.socket.connect
    read: Any = _HiredisParser.read_from_socket

    def connecting(self: socket.socket, address: Any) -> None:
        found.connects.append(self.gettimeout())
        connect(self, address)

    def reading(self: Any, timeout: float, *rest: Any) -> bool:
        found.reads.append(timeout)
        return bool(read(self, timeout, *rest))

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(_HiredisParser, "read_from_socket", reading)
    return found


@pytest.mark.redis
@pytest.mark.parametrize("connected", [False, True])
def test_a_frozen_redis_is_waited_for_once(
    redis_server: RedisServer, attempts: Attempts, *, connected: bool
) -> None:
    if connected:
        fetch([NAME])
    redis_server.freeze()
    attempts.connects.clear()
    attempts.reads.clear()
    assert fetch([NAME]) == [None]
    assert attempts.connects == ([] if connected else [0.2])
    assert len(attempts.reads) == 1
    assert attempts.worst <= 0.2 + 0.25

    for _ in range(20):
        fetch([NAME])
        keep({NAME: b"value"})
    assert len(attempts.reads) == 1
    assert len(attempts.connects) <= 1


def test_a_redis_that_takes_no_connection_is_tried_once(
    tmp_path: Any, attempts: Attempts, redis_clock: StoppedClock
) -> None:
    path = str(tmp_path / "full.sock")
    with socket.socket(socket.AF_UNIX) as full, socket.socket(socket.AF_UNIX) as first:
        full.bind(path)
        full.listen(0)
        first.connect(path)
        attempts.connects.clear()
        with used_by_the_site(f"unix://{path}", redis_clock):
            assert fetch([NAME]) == [None]
            assert fetch([NAME]) == [None]
    assert attempts.connects == [0.2]
    assert attempts.reads == []


@pytest.mark.redis
def test_a_connection_begins_with_the_question(redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        client.ping()
        client.config_resetstat()
        fetch([NAME])
        asked = set(client.info("commandstats"))
    assert asked == {"cmdstat_mget", "cmdstat_config|resetstat"}


def test_a_reply_in_drops_is_not_waited_for(
    attempts: Attempts, monkeypatch: pytest.MonkeyPatch, redis_clock: StoppedClock
) -> None:
    looks = (number / 10 for number in range(1_000))  # each look finds a tenth of a second gone
    monkeypatch.setattr(bounded_redis, "monotonic", lambda: next(looks))
    with (
        says(b"*1\r\n$300\r\n", drop_by_drop=True) as url,
        used_by_the_site(url, redis_clock),
    ):
        assert fetch([NAME]) == [None]
    assert attempts.reads == pytest.approx([0.2, 0.1])


NONSENSE = {
    "another server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing": b"",
    "bytes": bytes(range(256)),
    "not a list": b"+OK\r\n",
    "a letter instead of a list of one": b"$1\r\na\r\n",
    "no list": b"*-1\r\n",
    "too short a list": b"*0\r\n",
    "too long a list": b"*2\r\n$-1\r\n$-1\r\n",
    "a list without an end": b"*1\r\n",
    "a refusal": b"-NOPERM no\r\n",
    "a refusal that is no text": b"-\xff\xfe\r\n",
    "a table with a list for a key": b"%1\r\n*0\r\n+a\r\n",
    "an empty push": b">0\r\n",
    "pushes without an end": b">1\r\n+a\r\n" * 5_000,
    "another place": b"*1\r\n-MOVED 1\r\n",
    "more than fits in memory": b"*4294967295\r\n",
    "loading": b"-LOADING Redis is loading the dataset in memory\r\n",
    "a password is wanted": b"-NOAUTH Authentication required.\r\n",
}


@pytest.mark.parametrize("reply", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_no_answer_and_told_once(
    reply: bytes, caplog: pytest.LogCaptureFixture, redis_clock: StoppedClock
) -> None:
    with says(reply) as url, used_by_the_site(url, redis_clock):
        assert fetch([NAME]) == [None]
        assert fetch([NAME]) == [None]
        assert not is_on()
    lines = [line for line in caplog.records if line.name == "scheduling.block_store"]
    assert [line.levelno for line in lines] == [logging.WARNING]


@pytest.mark.parametrize("value", [b":7", b"$3\r\nabc", b"*1\r\n:1", b"#t", b"_", b"$0\r\n"])
def test_values_of_other_kinds_are_missing(value: bytes, redis_clock: StoppedClock) -> None:
    with says(b"*1\r\n" + value + b"\r\n") as url, used_by_the_site(url, redis_clock):
        assert fetch([NAME]) == [None]
        assert is_on()


TOKENS = st.sampled_from(b"* $ : + - > % ~ # _ | = 1 2 -1 a \xff OK \r\n".split(b" "))


def test_no_mixture_of_the_protocols_pieces_raises_or_is_believed() -> None:
    reply = b""

    @effort(max_examples=150, deadline=None)
    @given(st.lists(TOKENS, max_size=12).map(b"".join))
    def answered_with(mixture: bytes) -> None:
        nonlocal reply
        reply = mixture
        block_store.breaker.close()
        assert fetch([NAME]) == [None]
        block_store.breaker.close()
        keep({NAME: b"value"})

    with says(lambda: reply) as url, used_by_the_site(url, StoppedClock()):
        answered_with()


@pytest.mark.redis
def test_what_was_left_unread_answers_no_other_question(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = key(b"\1" * 16, bytes(8), 15, 2_900)
    keep({NAME: b"value", other: b"other"})

    reply = bounded_redis._reply

    def interrupted(_connection: Any) -> Any:
        raise KeyboardInterrupt

    def late(connection: Any) -> Any:
        redis_server.thaw()
        return reply(connection)

    redis_server.freeze()
    with monkeypatch.context() as patched:
        patched.setattr(bounded_redis, "_reply", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch([NAME])
    with monkeypatch.context() as patched:
        patched.setattr(bounded_redis, "_reply", late)
        assert fetch([other]) == [b"other"]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rediss://user:secret@cache.example/3?ssl_check_hostname=true", SSLConnection),
        ("unix:///run/redis.sock?socket_timeout=0.1&protocol=3", UnixDomainSocketConnection),
    ],
)
def test_every_way_to_redis_is_bounded(url: str, kind: Any) -> None:
    connection: Any = BoundedPool.from_url(url, socket_timeout=0.25).make_connection()
    assert type(connection) is kind
    assert isinstance(connection._parser, BoundedParser)
    assert connection.protocol == 2
    assert connection.retry.get_retries() == 0


def test_the_settings_and_the_bound_make_half_a_second() -> None:
    options = redis_cache("redis://127.0.0.1:1/0")["OPTIONS"]
    for last_step in (options["SOCKET_TIMEOUT"], block_store.SECONDS):
        assert options["SOCKET_CONNECT_TIMEOUT"] + last_step <= 0.5
