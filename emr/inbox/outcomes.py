"""What became of a message that came in, and when one that cannot be taken now is tried again."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from emr import failures
from emr.fhir.errors import Refused
from emr.kinds import Arrival

FIRST = timedelta(seconds=5)
LONGEST = timedelta(hours=1)
SOON = timedelta(seconds=2)
LOCKED_OUT = timedelta(minutes=15)
MOST_ATTEMPTS = 20
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,59}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`codes` say why, without PHI; `patient` and `appointment` are ours, once they are known."""

    state: Arrival
    codes: tuple[str, ...] = ()
    patient: UUID | None = None
    appointment: UUID | None = None


class NotNow(Exception):
    """It cannot be taken yet: something else of it is under way, or its time has not come."""

    def __init__(self, code: str, *, after: timedelta = SOON) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


def ignored(code: str, *, appointment: UUID | None = None) -> Outcome:
    return Outcome(Arrival.IGNORED, (code,), appointment=appointment)


def dead(*codes: str, patient: UUID | None = None) -> Outcome:
    return Outcome(Arrival.DEAD, tuple(map(plain, codes)), patient=patient)


def refused(error: failures.EMRError | Refused) -> Outcome:
    """Return what becomes of what surely never will be understood as it is."""
    codes = (error.code,) if isinstance(error, Refused) else error.codes
    return dead(*codes or ("refused",))


def wait_after(error: failures.EMRError, *, attempts: int) -> timedelta:
    """Return how long to leave it: as the other side said, else longer with each attempt."""
    if isinstance(error, failures.Unauthorized):
        return LOCKED_OUT
    if isinstance(error, failures.TryLater) and error.after is not None:
        return error.after
    return backoff(attempts)


def is_left_alone(error: failures.EMRError) -> bool:
    """Whether the connection as a whole has to wait, which is no fault of the message's."""
    is_told = isinstance(error, failures.TryLater) and error.after is not None
    return is_told or isinstance(error, failures.Unauthorized)


def backoff(attempts: int) -> timedelta:
    """Return a random time below one that doubles with each attempt, an hour at the most."""
    doubled: timedelta = FIRST * 2 ** min(attempts, 16)
    most = min(LONGEST, doubled)
    return most * random.random()  # noqa: S311 - spreads load, keeps no secret


def plain(code: str) -> str:
    """Return a code as it may be kept: what looks like prose is none."""
    return code if _CODE.fullmatch(code) else "unreadable-code"
