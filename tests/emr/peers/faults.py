"""What can go wrong between two houses, one time or several."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar


class How(StrEnum):
    STATUS = "STATUS"
    RESET_AFTER_STORE = "RESET_AFTER_STORE"
    RESET_BEFORE = "RESET_BEFORE"
    HTML_502 = "HTML_502"
    TRUNCATED = "TRUNCATED"
    HANG = "HANG"
    BIG_BODY = "BIG_BODY"
    EMPTY_406 = "EMPTY_406"
    RATE_LIMIT = "RATE_LIMIT"
    STALE = "STALE"
    UNAUTHORIZED = "UNAUTHORIZED"


@dataclass(frozen=True, slots=True)
class Fault:
    """RESET_AFTER_STORE and TRUNCATED do what was asked first; HANG does if `stores`; the others
    never do."""

    how: How
    status: int = 0
    seconds: float = 0
    after: str | None = None
    stores: bool = False

    RESET_AFTER_STORE: ClassVar[Fault]
    RESET_BEFORE: ClassVar[Fault]
    HTML_502: ClassVar[Fault]
    TRUNCATED: ClassVar[Fault]
    BIG_BODY: ClassVar[Fault]
    EMPTY_406: ClassVar[Fault]
    UNAUTHORIZED: ClassVar[Fault]

    @staticmethod
    def STATUS(status: int) -> Fault:  # noqa: N802 - reads as the others do
        return Fault(How.STATUS, status=status)

    @staticmethod
    def HANG(seconds: float, *, stores: bool = False) -> Fault:  # noqa: N802
        """Say nothing for so long, then end the connection."""
        return Fault(How.HANG, seconds=seconds, stores=stores)

    @staticmethod
    def STALE(status: int = 412) -> Fault:  # noqa: N802
        return Fault(How.STALE, status=status)

    @staticmethod
    def RATE_LIMIT(after: timedelta | datetime | float | None = None) -> Fault:  # noqa: N802
        """429, with Retry-After in seconds, as a date (an aware datetime), or without."""
        if isinstance(after, datetime):
            return Fault(How.RATE_LIMIT, after=after.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        if isinstance(after, timedelta):
            after = after.total_seconds()
        return Fault(How.RATE_LIMIT, after=None if after is None else str(int(after)))


Fault.RESET_AFTER_STORE = Fault(How.RESET_AFTER_STORE)
Fault.RESET_BEFORE = Fault(How.RESET_BEFORE)
Fault.HTML_502 = Fault(How.HTML_502)
Fault.TRUNCATED = Fault(How.TRUNCATED)
Fault.BIG_BODY = Fault(How.BIG_BODY)
Fault.EMPTY_406 = Fault(How.EMPTY_406)
Fault.UNAUTHORIZED = Fault(How.UNAUTHORIZED)
