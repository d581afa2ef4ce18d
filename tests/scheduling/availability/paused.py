"""Threads that stop at each step: before every statement, and before every word with Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from queue import Queue
from typing import Any

import pytest
from django.db import connection

from scheduling import block_store

PATIENCE = 60


class Paused:
    """Does something in a thread of its own, with a connection of its own, step by step.

    Nothing of it runs but between `go_on` and its return. Inside a transaction it does not stop,
    since others would wait for its locks.
    """

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._reached: Queue[str] = Queue()
        self._go = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.steps: list[str] = []
        self.answer: object = None
        self._thread.start()
        self._wait()

    @property
    def is_done(self) -> bool:
        return self.steps[-1] == "done"

    def go_on(self) -> str:
        """Let it take one step. Returns what it stops before, `done` at the end."""
        if not self.is_done:
            self._go.release()
            self._wait()
        return self.steps[-1]

    def go_to(self, step: str, *, once: Callable[[], bool] = lambda: True) -> None:
        """Let it go on until it stops before a step and `once` is true; fails if it ends before."""
        while not (self.steps[-1] == step and once()):
            assert not self.is_done, self.steps
            self.go_on()

    def finish(self) -> object:
        """Let it end. Returns what it was answered; raises what it raised."""
        while not self.is_done:
            self.go_on()
        self._thread.join(PATIENCE)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def _wait(self) -> None:
        self.steps.append(self._reached.get(timeout=PATIENCE))

    def pause(self, step: str) -> None:
        if threading.current_thread() is self._thread:
            self._reached.put(step)
            assert self._go.acquire(timeout=PATIENCE)

    def _statement(self, execute: Any, sql: str, *rest: Any) -> Any:
        if not connection.in_atomic_block:
            self.pause("statement")
        return execute(sql, *rest)

    def _run(self) -> None:
        running.append(self)
        try:
            connection.ensure_connection()
            with connection.execute_wrapper(self._statement):
                self.pause("start")
                self.answer = self._act()
        except Exception as error:
            self.answer = error
        finally:
            running.remove(self)
            connection.close()
            self._reached.put("done")


running: list[Paused] = []


@contextmanager
def stopping_at_redis() -> Iterator[None]:
    """Let those threads stop before they fetch from the store and before they keep something."""
    fetch, keep = block_store.fetch, block_store.keep

    def stop(step: str) -> None:
        for one in list(running):
            one.pause(step)

    def fetching(keys: Sequence[bytes]) -> list[bytes | None]:
        stop("fetch")
        return fetch(keys)

    def keeping(values: Mapping[bytes, bytes], **more: Any) -> None:
        stop("keep")
        keep(values, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(block_store, "fetch", fetching)
        patched.setattr(block_store, "keep", keeping)
        yield
