"""Shows how far a reading of files has come: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(text: str, *, total: int, stream: TextIO) -> Iterator[Callable[[int], None]]:
    """Yield what is told of each number of bytes read out of `total`."""
    if not stream.isatty():
        yield _lines(text, total, stream)
        return
    with tqdm(desc=text, total=total, unit="B", unit_scale=True, file=stream, leave=False) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance


def _lines(text: str, total: int, stream: TextIO) -> Callable[[int], None]:
    """Return a counter that writes a line at most every few seconds, and none if it is quick."""
    done, last = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            stream.write(f"{text}: {100 * done // max(total, 1)} %\n")
            stream.flush()

    return advance
