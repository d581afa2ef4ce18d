"""Takes a connection's turns: asks its bucket first, and says afterwards how it went.

Drivers do this for every message, so their callers have nothing to do with pacing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from emr import pacing
from emr.failures import EMRError, TryLater
from emr.models import EMRConnection

LONGEST_WAIT = timedelta(seconds=2)
MOST_TURNS = 20


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one connection."""

    connection: EMRConnection
    now: Callable[[], datetime] = timezone.now
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Do one thing in turn. Raises TryLater, with the time, when it is not our turn soon."""
        self._await_turn()
        try:
            yield
        except EMRError as error:
            pacing.failed(self.connection, error, now=self.now())
            raise
        pacing.succeeded(self.connection, now=self.now())

    def _await_turn(self) -> None:
        left = LONGEST_WAIT
        for _turn in range(MOST_TURNS):
            wait = pacing.take(self.connection, now=self.now())
            if not wait:
                return
            if wait > left:
                raise TryLater("pace", after=wait)
            self.sleep(wait.total_seconds())
            left -= wait
        raise TryLater("pace", after=LONGEST_WAIT)
