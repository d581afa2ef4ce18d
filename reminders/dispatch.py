"""Sends what is queued: several threads, each claiming a few deliveries at a time, until nothing is
left that may go now or the time is over.

Any number of these may run at once, on any number of machines. Decides nothing about a message.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic

from django.conf import settings
from django.db import connections
from django.utils import timezone

from reminders import claims, gathering
from reminders.kinds import Channel
from reminders.outcomes import Outcome, Pauses, stumbled
from reminders.sending import Claimed, Clock, read, send

logger = logging.getLogger(__name__)

# The queue ends a task after a minute: some of it is for gathering, and some for a vendor that
# takes its time for the last message.
SECONDS = 30.0
# So few that a claim holds until the last of them was sent, however slow the vendor.
AT_ONCE = 10
LOOK_FOR_NEWS = 0.5  # seconds
SECONDS_OF_CLAIM = claims.CLAIM.total_seconds() / 2

pauses = Pauses()


@dataclass(slots=True)
class Counts:
    """How many deliveries ended how. `is_unfinished` where the time was over before the work."""

    by_outcome: Counter[Outcome] = field(default_factory=Counter)
    is_unfinished: bool = False

    @property
    def sent(self) -> int:
        return self.by_outcome[Outcome.SENT]

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, for a log."""
        return {outcome.name.lower(): n for outcome, n in self.by_outcome.items()}


def dispatch(
    *,
    threads: int | None = None,
    most: int | None = None,
    seconds: float = SECONDS,
    clock: Clock = timezone.now,
) -> Counts:
    """Send what is queued and due by `clock`, at most so many; return what became of it.

    One thread is this one; several have connections of their own. While they work, notices that
    come up are gathered, so that nobody waits behind a crowd of reminders. Raises what a thread
    raised, when all have ended.
    """
    run = Run(most=most, ends_at=monotonic() + seconds, clock=clock)
    wanted = settings.REMINDER_THREADS if threads is None else threads
    if wanted == 1:
        run.work()
    else:
        _in_threads(run, wanted)
    return run.counts


@dataclass(slots=True)
class Run:
    """What the threads of one run share."""

    most: int | None
    ends_at: float
    clock: Clock
    counts: Counts = field(default_factory=Counts)
    lock: Lock = field(default_factory=Lock)

    def work(self) -> None:
        """Claim and send until nothing is left, or the time is over."""
        while (size := self._next_size()) > 0:
            claimed = claims.claim(channels=_open_channels(), most=size, now=self.clock())
            if not claimed:
                return
            self._send_all(read(claimed, now=self.clock()))

    def work_in_thread(self) -> None:
        try:
            self.work()
        finally:
            connections.close_all()

    def _next_size(self) -> int:
        if monotonic() >= self.ends_at:
            self.counts.is_unfinished = True
            return 0
        if self.most is None:
            return AT_ONCE
        return min(AT_ONCE, self.most - self.counts.by_outcome.total())

    def _send_all(self, waiting: list[Claimed]) -> None:
        """Send one after the other; what cannot go while the claim is fresh is handed back."""
        stale_at = monotonic() + SECONDS_OF_CLAIM
        for n, claimed in enumerate(waiting):
            is_over = monotonic() >= min(stale_at, self.ends_at)
            if is_over or pauses.left(Channel(claimed.delivery.channel)):
                claims.hand_back(one.delivery for one in waiting[n:])
                return
            self._count(self._send(claimed))

    def _send(self, claimed: Claimed) -> Outcome:
        """Send one; a fault in it is told, and puts off no other."""
        try:
            return send(claimed, pauses=pauses, clock=self.clock)
        except Exception as error:
            logger.exception("message not made", extra={"delivery": str(claimed.delivery.pk)})
            return stumbled(claimed.delivery, error, claimed.rows, now=self.clock())

    def _count(self, outcome: Outcome) -> None:
        with self.lock:
            self.counts.by_outcome[outcome] += 1


def _in_threads(run: Run, threads: int) -> None:
    with ThreadPoolExecutor(threads, thread_name_prefix="dispatch") as pool:
        working = {pool.submit(run.work_in_thread) for _thread in range(threads)}
        while wait(working, timeout=LOOK_FOR_NEWS).not_done:
            if gathering.gather_notices(now=run.clock()):
                working.add(pool.submit(run.work_in_thread))  # the others may have ended by now
    for thread in working:
        thread.result()


def _open_channels() -> list[Channel]:
    """Return the channels whose vendors are not left alone just now."""
    return [channel for channel in Channel if not pauses.left(channel)]
