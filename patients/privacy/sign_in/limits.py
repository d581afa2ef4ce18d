"""When a sign-in ends: arithmetic on seconds since 1970. Knows no session and no clock."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

WRITE_EVERY = 60


class Ending(Enum):
    """Why a sign-in is over."""

    IDLE = "idle"
    ABSOLUTE = "absolute"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Times:
    """When somebody signed in and when they last did something; `idle` and `absolute` in seconds.

    `since` and `seen` are None in a session that nobody wrote them into: it counts as over.
    """

    since: int | None
    seen: int | None
    idle: int
    absolute: int

    def ending(self, now: int) -> Ending | None:
        """Return why the sign-in is over, or None while it is not."""
        if self.since is None or self.seen is None or self.seen > now + WRITE_EVERY:
            return Ending.UNKNOWN
        if now >= self.since + self.absolute:
            return Ending.ABSOLUTE
        return Ending.IDLE if now >= self.seen + self.idle else None

    def seconds_left(self, now: int) -> int:
        """Return the seconds until it ends by itself; 0 once it has."""
        if self.since is None or self.seen is None:
            return 0
        return max(0, min(self.seen + self.idle, self.since + self.absolute) - now)

    def can_stay(self, now: int) -> bool:
        """Whether staying signed in would make it last longer than it does now."""
        if self.since is None or self.seen is None:
            return False
        return self.seen + self.idle < self.since + self.absolute and self.ending(now) is None

    def is_due(self, now: int) -> bool:
        """Whether the last sign of life is worth writing anew: once a minute at most."""
        return self.seen is None or now - self.seen >= WRITE_EVERY
