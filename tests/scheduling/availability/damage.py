"""What can happen to the values that Redis keeps."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import Any

import redis


class Damage(Enum):
    """One way in which what was kept is no longer what was kept."""

    FLUSHED = "flushed"
    FORGOTTEN = "forgotten"
    CUT = "cut"
    FLIPPED = "flipped"
    SWAPPED = "swapped"
    GARBAGE = "garbage"
    LIST = "list"

    def happens_to(self, client: redis.Redis, seed: int) -> None:
        """Do it to half of the values, chosen by the seed."""
        dice = Random(seed)
        names: list[Any] = sorted(client.keys("daysheet:availability:*"))
        if self is Damage.FLUSHED or not names:
            client.flushall()
            return
        for name in dice.sample(names, len(names) // 2 + 1):
            self._hurt(client, name, dice, names)

    def _hurt(self, client: redis.Redis, name: bytes, dice: Random, names: list[bytes]) -> None:
        value = client.get(name) if client.type(name) == b"string" else None
        if not isinstance(value, bytes) or not value:
            client.delete(name)
            return
        place = dice.randrange(len(value))
        flipped = value[place] ^ (1 << dice.randrange(8))
        other = dice.choice(names)
        swapped = client.get(other) if client.type(other) == b"string" else None
        new = {
            Damage.CUT: value[:place],
            Damage.FLIPPED: value[:place] + bytes([flipped]) + value[place + 1 :],
            Damage.SWAPPED: swapped if isinstance(swapped, bytes) else b"",
            Damage.GARBAGE: dice.randbytes(len(value)),
        }.get(self)
        client.delete(name)
        if new is not None:
            client.set(name, new)
        elif self is Damage.LIST:
            client.rpush(name, value)
