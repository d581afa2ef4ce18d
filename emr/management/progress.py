"""Shows how far a reading of files has come: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm


@contextmanager
def progress(
    text: str, *, total: int, stream: TextIO, pause: float = 5.0
) -> Iterator[Callable[[int], None]]:
    """Yield what is told of each number of bytes read out of `total`.

    Plain lines come at most every `pause` seconds, so a quick reading shows none.
    """
    if not stream.isatty():
        yield _lines(text, total, stream, pause)
        return
    with tqdm(desc=text, total=total, unit="B", unit_scale=True, file=stream, leave=False) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance


def _lines(text: str, total: int, stream: TextIO, pause: float) -> Callable[[int], None]:
    done, last = 0, time.monotonic()

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        if time.monotonic() - last >= pause:
            last = time.monotonic()
            stream.write(f"{text}: {100 * done // max(total, 1)} %\n")
            stream.flush()

    return advance
