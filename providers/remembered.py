"""Remembers answers in this process for some seconds, so that hardly any page asks for them anew.

What is remembered may be that much out of date; nothing here decides whether that does harm.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
MOST = 1_024


class Remembered(Generic[Key, Value]):
    """Calls `ask` for a key at most once in `seconds`; all is forgotten beyond `most` keys."""

    def __init__(self, ask: Callable[[Key], Value], *, seconds: float, most: int = MOST) -> None:
        self._ask, self._seconds, self._most = ask, seconds, most
        self._known: dict[Key, tuple[float, Value]] = {}

    def __call__(self, key: Key) -> Value:
        """Return the answer for a key, at most so many seconds old."""
        known, now = self._known.get(key), monotonic()
        if known is not None and now - known[0] < self._seconds:
            return known[1]
        if len(self._known) >= self._most:
            self._known.clear()
        value = self._ask(key)
        self._known[key] = (now, value)
        return value

    def forget(self) -> None:
        """Ask anew for every key."""
        self._known.clear()
