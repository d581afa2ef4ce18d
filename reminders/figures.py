"""How often patients did not come, with how sure one can be of it, and where a bar of it ends.

Counts in, shares out. Knows neither patients nor a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

ENOUGH = 11
Z = 1.959963984540054  # of 95 %
# Days from booking to visit: the last day of each band; None has no end.
BANDS: tuple[tuple[int, int | None], ...] = ((0, 1), (2, 7), (8, 14), (15, 30), (31, None))
SCALES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
ROW, BAR_TOP, BAR, FOOT = 46, 22, 12, 24


@dataclass(frozen=True, slots=True)
class Rate:
    """Of `visits` that took place or should have, `missed` did not."""

    missed: int
    visits: int

    @property
    def is_enough(self) -> bool:
        """Whether there are visits enough to say anything: below eleven a share is chance."""
        return self.visits >= ENOUGH

    @property
    def share(self) -> float:
        """The share from 0 to 1. Raises ZeroDivisionError without visits."""
        return self.missed / self.visits

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval, from 0 to 1 (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927)."""
        return wilson(self.missed, self.visits)


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the score interval of a share at 95 %; everything is possible where `of` is 0."""
    if of == 0:
        return 0.0, 1.0
    share, square = count / of, Z * Z / of
    middle = (share + square / 2) / (1 + square)
    half = Z * sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a plot. Ends are percent of its width, places are pixels from its top.

    Without `width` there are too few visits for a bar.
    """

    label: str
    rate: Rate
    top: int
    width: str = ""
    low: str = ""
    high: str = ""

    @property
    def text_at(self) -> int:
        return self.top + 15

    @property
    def few_at(self) -> int:
        """Where it is said, in the place of a bar, that there are too few visits."""
        return self.bar_at + BAR - 1

    @property
    def bar_at(self) -> int:
        return self.top + BAR_TOP

    @property
    def middle(self) -> int:
        return self.bar_at + BAR // 2


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale: `at` is percent of the width, `share` from 0 to 1."""

    at: str
    share: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Horizontal bars on one scale, with the line of all visits together where that says much."""

    bars: list[Bar]
    ticks: list[Tick]
    height: int
    overall: str
    bar_height: int = BAR

    @property
    def foot(self) -> int:
        """Where the lines of the scale end and its figures begin."""
        return self.height - FOOT

    @property
    def figures_at(self) -> int:
        return self.height - 6


def plot(rows: Sequence[tuple[str, Rate]], *, overall: Rate) -> Plot:
    """Lay out one bar for each row, in its order, with the interval as a line across its end."""
    rates = [overall, *(rate for _, rate in rows)]
    scale = scale_for(rate.interval[1] for rate in rates if rate.is_enough)
    bars = [_bar(label, rate, place * ROW, scale) for place, (label, rate) in enumerate(rows)]
    line = _percent(overall.share, scale) if overall.is_enough else ""
    return Plot(bars, ticks_of(scale), len(rows) * ROW + FOOT, line)


def ticks_of(scale: float) -> list[Tick]:
    """Return the lines of a scale: its ends and its middle."""
    return [
        Tick("0%", 0.0, "start"),
        Tick("50%", scale / 2, "middle"),
        Tick("100%", scale, "end"),
    ]


def scale_for(ends: Iterable[float]) -> float:
    """Return the least of SCALES that no interval passes, by where the intervals end."""
    furthest = max(ends, default=0.0)
    return next((scale for scale in SCALES if furthest <= scale), 1.0)


def _bar(label: str, rate: Rate, top: int, scale: float) -> Bar:
    if not rate.is_enough:
        return Bar(label, rate, top)
    low, high = (_percent(end, scale) for end in rate.interval)
    return Bar(label, rate, top, _percent(rate.share, scale), low, high)


def _percent(share: float, scale: float) -> str:
    """Return a place on the scale as SVG reads it, whatever the language of the page."""
    return f"{100 * share / scale:.2f}%"
