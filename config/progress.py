"""Decides how a step that takes longer than a second shows itself; shorter ones stay silent."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_PATIENCE_SECONDS = 1.0


@contextmanager
def step(text: str, stream: TextIO | None = None) -> Iterator[None]:
    """Show `text` with the elapsed seconds once the block has run for a second.

    A terminal sees one line that counts; a file or pipe sees two plain lines.
    """
    output = stream or sys.stderr
    began, done = time.monotonic(), threading.Event()
    ticker = threading.Thread(target=_tick, args=(text, output, began, done), daemon=True)
    ticker.start()
    try:
        yield
    finally:
        done.set()
        ticker.join()
    elapsed = time.monotonic() - began
    if elapsed >= _PATIENCE_SECONDS:
        start = "\r" if output.isatty() else ""
        output.write(f"{start}{text}: {elapsed:.1f} s\n")
        output.flush()


def _tick(text: str, output: TextIO, began: float, done: threading.Event) -> None:
    while not done.wait(_PATIENCE_SECONDS):
        terminal = output.isatty()
        elapsed = f"\r{text}: {time.monotonic() - began:.0f} s"
        output.write(elapsed if terminal else f"{text} …\n")
        output.flush()
        if not terminal:
            return
