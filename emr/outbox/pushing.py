"""Sends what is due: a pool of threads for each connection, so that a dead one delays no other.

Any number of these may run at once, on any number of machines. Decides nothing about a message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from time import monotonic
from uuid import UUID

from django.db import connections
from django.utils import timezone

from emr import pacing
from emr.drivers import opening
from emr.drivers.base import Driver
from emr.failures import EMRError
from emr.models import EMRConnection, OutboundMessage
from emr.outbox import claims
from emr.outbox.outcomes import FIRST_LOOK, Outcome
from emr.outbox.sending import not_opened, send

# The queue ends a task after a minute: some of it is for a system that takes its time for the last.
SECONDS = 30.0

Clock = Callable[[], datetime]


@dataclass(slots=True)
class Run:
    """What the threads of one connection share in one run."""

    connection: EMRConnection
    ends_at: float
    clock: Clock
    by_outcome: Counter[Outcome] = field(default_factory=Counter)
    is_unfinished: bool = False
    lock: Lock = field(default_factory=Lock)

    def work(self) -> None:
        """Claim and send one message after the other, until none is due, the time is over, or the
        other side is to be left alone. The connection is opened for the first of them."""
        with ExitStack() as stack:
            driver: Driver | None = None
            while (message := self._next()) is not None:
                if driver is None:
                    try:
                        driver = stack.enter_context(opening.opened(self.connection))
                    except EMRError as error:
                        self._count(self._not_opened(message, error))
                        return
                self._count(send(message, driver, clock=self.clock))

    def work_in_thread(self) -> None:
        try:
            self.work()
        finally:
            connections.close_all()

    def _next(self) -> OutboundMessage | None:
        if monotonic() >= self.ends_at:
            self.is_unfinished = True
            return None
        now = self.clock()
        if pacing.is_left_alone(self.connection, now=now):
            return None
        claimed = claims.claim(self.connection, now=now)
        for message in claimed:
            message.connection = self.connection
        return claimed[0] if claimed else None

    def _not_opened(self, message: OutboundMessage, error: EMRError) -> Outcome:
        pacing.failed(self.connection, error, now=self.clock())
        return not_opened(message, error, now=self.clock())

    def _count(self, outcome: Outcome) -> None:
        with self.lock:
            self.by_outcome[outcome] += 1


def push(
    connection_id: UUID | str | None = None,
    *,
    seconds: float = SECONDS,
    clock: Clock = timezone.now,
) -> dict[str, int]:
    """Send what is due of one connection, or of all; return how many messages ended how.

    Among the counts, `unfinished` is how many connections had more than the time allowed for. A
    single thread's work is done in this one; several have connections of their own. Raises what a
    thread raised, when all have ended.
    """
    active = EMRConnection.objects.active().select_related("clinic")
    if connection_id is not None:
        active = active.filter(pk=connection_id)
    ends_at = monotonic() + seconds
    runs = [
        (Run(connection, ends_at, clock), threads)
        for connection in active
        if (threads := _threads_for(connection, now=clock()))
    ]
    _work(runs)
    counts: Counter[str] = Counter()
    for run, _threads in runs:
        counts.update({outcome.name.lower(): n for outcome, n in run.by_outcome.items()})
        counts["unfinished"] += run.is_unfinished
    return dict(counts)


def _threads_for(connection: EMRConnection, *, now: datetime) -> int:
    """Return how many threads a connection's due messages are worth; none if it is left alone."""
    claims.sweep(connection, look_after=FIRST_LOOK)
    if pacing.is_left_alone(connection, now=now):
        return 0
    return claims.count_due(connection, most=connection.workers, now=now)


def _work(runs: list[tuple[Run, int]]) -> None:
    threads = sum(wanted for _run, wanted in runs)
    if threads == 1:
        runs[0][0].work()
    if threads <= 1:
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="emr") as pool:
        working = [
            pool.submit(run.work_in_thread) for run, wanted in runs for _thread in range(wanted)
        ]
    for thread in working:
        thread.result()
