"""When to leave a neighbour alone that does not answer, and how often to complain of one that
answers badly. Knows clocks and counts, not who the neighbour is."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

Clock = Callable[[], float]


class Breaker:
    """Closed while the neighbour answers; open after one failure, until a probe succeeds.

    One for all threads of a process. Times are seconds of a clock that never goes back.
    """

    def __init__(self, seconds: float, *, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._probe_at: float | None = None

    @property
    def is_closed(self) -> bool:
        return self._probe_at is None

    def fail(self) -> bool:
        """Open, and return whether it was closed: of many who fail at once, one is told so."""
        with self._lock:
            was_closed = self._probe_at is None
            if was_closed:
                self._probe_at = self._clock() + self._seconds
            return was_closed

    def may_probe(self) -> bool:
        """Return True to one caller, `seconds` after it opened and then as often again.

        Whoever is told so and never comes back delays the next probe and prevents none.
        """
        with self._lock:
            now = self._clock()
            if self._probe_at is None or now < self._probe_at:
                return False
            self._probe_at = now + self._seconds
            return True

    def close(self) -> bool:
        """Close, and return whether it was open."""
        with self._lock:
            was_open = self._probe_at is not None
            self._probe_at = None
            return was_open


class Tally:
    """Counts what is to be told, at most once in `seconds`, for all threads of a process."""

    def __init__(self, seconds: float, *, clock: Clock = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._count = 0
        self._quiet_until: float | None = None

    def add(self, count: int) -> int:
        """Return how many to tell of now, those of earlier included; 0 while it is too soon."""
        with self._lock:
            self._count += count
            now = self._clock()
            if not self._count or (self._quiet_until is not None and now < self._quiet_until):
                return 0
            told, self._count = self._count, 0
            self._quiet_until = now + self._seconds
            return told
