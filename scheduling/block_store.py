"""Keeps availability blocks in Redis, where there is one, and hands back only what is whole and
its key's own. Decides when Redis is left alone; knows nothing of what a block says."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from threading import Thread
from time import monotonic
from typing import Any, TypeAlias, TypeVar
from zlib import crc32

from django.conf import settings
from django_redis import get_redis_connection

from scheduling.breaker import Breaker, Tally

logger = logging.getLogger(__name__)

PREFIX = b"daysheet:availability:1:"
ENTRY = struct.Struct("24s")  # a provider's id and the stamp of the calendar
HEAD = struct.Struct(">Bi")  # minutes of the grid and number of the block
SEAL = struct.Struct("<I")
# What CRC-32 gives for anything that ends in its own CRC-32.
RESIDUE = 0x2144DF1C

# A little more than the day after which they are renewed at night.
KEPT_SECONDS = 26 * 60 * 60
# With the connect and read timeouts of the settings: a Redis in trouble costs half a second, once.
SECONDS = 0.3
# So few that a busy machine is not taken for a Redis in trouble: it has SECONDS for each trip.
IN_ONE_TRIP = 2_500
# A command of so many keys is answered while the next is still on its way.
IN_ONE_COMMAND = 500

breaker = Breaker(seconds=30)
damaged = Tally(seconds=60)
refused = Tally(seconds=60)

Command: TypeAlias = tuple[bytes | str | int, ...]
T = TypeVar("T")


class Nonsense(Exception):
    """Redis, or whoever answers in its place, said something that is no answer."""


def key(provider: bytes, stamp: bytes, grid: int, block: int) -> bytes:
    """Return the key of one record: 16 bytes of id, 8 of stamp, minutes, number of the block."""
    (one,) = keys(provider + stamp, grid, block)
    return one


def keys(packed: bytes, grid: int, block: int) -> list[bytes]:
    """Return the keys of one block for many providers, packed as 24 bytes of id and stamp each.

    Raises struct.error where that is not what was packed.
    """
    head = PREFIX + HEAD.pack(grid, block)
    return [head + entry for (entry,) in ENTRY.iter_unpack(packed)]


def is_on() -> bool:
    """Say whether Redis is there and answers.

    Half a minute after it did not, whoever asks first has it probed in a thread of its own and is
    told no like everybody else: nobody waits for the probe.
    """
    if "redis" not in settings.CACHES:
        return False
    if breaker.is_closed:
        return True
    if breaker.may_probe():
        Thread(target=_probe, name="redis-probe", daemon=True).start()
    return False


def fetch(keys: Sequence[bytes]) -> list[bytes | None]:
    """Return the value of each key: None for what is missing, damaged or another key's.

    One round trip for each 2,500 keys. Where Redis is away or answers nonsense, all is missing.
    """
    return [value for some in _in_parts(keys, IN_ONE_TRIP) for value in _fetched(some)]


def keep(values: Mapping[bytes, bytes], *, seconds: float = SECONDS) -> None:
    """Store values for a day, for as long as that takes less than `seconds`; the rest are not."""
    ends_at = monotonic() + seconds
    for part in _in_parts(values.items(), IN_ONE_COMMAND):
        if not is_on() or monotonic() >= ends_at:
            return
        try:
            replies = _ask([_set(name, value) for name, value in part])
        except Exception as error:  # as above
            _leave_alone(error)
            return
        _tell(refused, "blocks.not_kept", len(replies) - replies.count(b"OK"))


def sealed(name: bytes, value: bytes) -> bytes:
    """Return the value with a checksum over its key and itself: good against accidents alone."""
    return value + SEAL.pack(crc32(value, crc32(name)))


def _fetched(keys: Sequence[bytes]) -> list[bytes | None]:
    nothing: list[bytes | None] = [None] * len(keys)
    if not is_on():
        return nothing
    try:
        values = _values(keys)
    except Exception as error:  # a client library raises anything at all on nonsense
        _leave_alone(error)
        return nothing
    return _unsealed(keys, values)


def _set(name: bytes, value: bytes) -> Command:
    return ("SET", name, sealed(name, value), "EX", KEPT_SECONDS)


def _values(keys: Sequence[bytes]) -> list[Any]:
    parts = list(_in_parts(keys, IN_ONE_COMMAND))
    replies = _ask([("MGET", *part) for part in parts])
    for part, reply in zip(parts, replies, strict=True):
        if not isinstance(reply, list) or len(reply) != len(part):
            raise Nonsense
    return [value for reply in replies for value in reply]


def _unsealed(keys: Sequence[bytes], values: Sequence[Any]) -> list[bytes | None]:
    if set(map(type, values)) == {bytes} and set(map(crc32, values, map(crc32, keys))) == {RESIDUE}:
        return [value[: -SEAL.size] for value in values]
    found = [_whole(name, value) for name, value in zip(keys, values, strict=True)]
    _tell(damaged, "blocks.damaged", found.count(None) - values.count(None))
    return found


def _whole(name: bytes, value: Any) -> bytes | None:
    if isinstance(value, bytes) and crc32(value, crc32(name)) == RESIDUE:
        return value[: -SEAL.size]
    return None


def _ask(commands: Sequence[Command]) -> list[Any]:
    pool = get_redis_connection("redis").connection_pool
    replies: list[Any] = pool.converse(commands, seconds=SECONDS)
    return replies


def _probe() -> None:
    try:
        _values([PREFIX])
    except Exception as error:  # as above
        _leave_alone(error)
    else:
        if breaker.close():
            logger.info("redis.back")


def _leave_alone(error: Exception) -> None:
    if breaker.fail():
        logger.warning("redis.away: %s", type(error).__name__, exc_info=error)


def _tell(tally: Tally, event: str, count: int) -> None:
    if told := tally.add(count):
        logger.warning(event, extra={"rows": told})


def _in_parts(items: Iterable[T], size: int) -> Iterator[list[T]]:
    each = iter(items)
    while part := list(islice(each, size)):
        yield part
