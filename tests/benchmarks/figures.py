"""What was measured: a table for people, then one line of JSON per figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`limit` is what the machine or the target allows, in one unit; `ratio` is value to it."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        return round(self.value / self.limit, 3) if self.limit else None


def quantile(durations: Sequence[float], share: float) -> float:
    """Return the duration that `share` of all stay within."""
    ordered = sorted(durations)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(figures: Sequence[Figure]) -> None:
    width = max((len(figure.name) for figure in figures), default=0)
    print(f"\n{'figure':<{width}}  {'value':>12}  {'unit':<12}  {'limit':>12}  {'ratio':>6}")
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:,.1f}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.3f}"
        print(
            f"{figure.name:<{width}}  {figure.value:>12,.1f}  {figure.unit:<12}"
            f"  {limit:>12}  {ratio:>6}"
        )
    print()
    for figure in figures:
        print(json.dumps({**asdict(figure), "ratio": figure.ratio}))
