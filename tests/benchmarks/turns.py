"""Times two ways to something in turn, so that what else the machine does falls on both alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.figures import Figure, quantile

MILLISECOND = 0.001


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds that ours took, and that the limit took beside it."""

    ours: Sequence[float]
    limit: Sequence[float]

    def at(self, share: float) -> tuple[float, float]:
        return quantile(self.ours, share), quantile(self.limit, share)

    def figures(self, name: str, beside: str) -> Iterator[Figure]:
        """Yield median and 95th percentile, in microseconds where a median is below 1 ms."""
        short = min(self.at(0.5)) < MILLISECOND
        unit, factor = ("µs", 1_000_000) if short else ("ms", 1_000)
        for label, share in (("p50", 0.5), ("p95", 0.95)):
            ours, limit = self.at(share)
            yield Figure(f"{name} {label}, beside {beside}", ours * factor, unit, limit * factor)


def in_turn(
    turns: int,
    ours: Callable[[], Any],
    limit: Callable[[], Any],
    *,
    before: Callable[[], None] | None = None,
) -> Taken:
    """Take each way so many times; `before` runs ahead of each and is not counted."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _turn in range(turns):
        for times, act in zip(taken, (ours, limit), strict=True):
            if before is not None:
                before()
            begun = time.perf_counter()
            act()
            times.append(time.perf_counter() - begun)
    return Taken(*taken)
