"""Threads that keep their connections and start each round at the same instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Barrier, Thread
from types import TracebackType
from typing import Self

from django.db import connection

Job = Callable[[], object]
PATIENCE = 120


class Crew:
    """So many threads, each with a connection of its own, for any number of rounds."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._jobs: list[SimpleQueue[Job | None]] = [SimpleQueue() for _ in range(size)]
        self._start = Barrier(size)
        self._done: SimpleQueue[tuple[int, object]] = SimpleQueue()
        self._threads = [Thread(target=self._work, args=(n,), daemon=True) for n in range(size)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for queue in self._jobs:
            queue.put(None)
        for thread in self._threads:
            thread.join(PATIENCE)

    def race(self, jobs: Sequence[Job]) -> list[object]:
        """Start one job on each thread at once; return what each returned or raised."""
        for queue, job in zip(self._jobs, jobs, strict=True):
            queue.put(job)
        answers: dict[int, object] = dict(self._done.get(timeout=PATIENCE) for _ in jobs)
        return [answers[n] for n in range(self.size)]

    def _work(self, number: int) -> None:
        connection.ensure_connection()
        while (job := self._jobs[number].get()) is not None:
            self._start.wait(PATIENCE)
            try:
                answer = job()
            except Exception as error:
                answer = error
            self._done.put((number, answer))
        connection.close()
