"""Where the bars of measured shares end that stand beside each other, each with how sure one is.

Shares from 0 to 1 in, places out. Knows neither what was measured nor a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reminders.figures import Tick, scale_for, ticks_of

HEAD, ROW, BAR_TOP, BAR, GAP, FOOT = 24, 40, 20, 12, 14, 24


class Measured(Protocol):
    """A share and the ends of its interval, which may lie beyond 0 and 1."""

    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


Group = tuple[str, Sequence[tuple[str, Measured | None]]]


@dataclass(frozen=True, slots=True)
class Bar:
    """`place` counts the bars of a group from 0. Ends are percent of the width, tops are pixels.

    Without `width` nothing was measured.
    """

    label: str
    place: int
    top: int
    share: float | None = None
    width: str = ""
    low: str = ""
    high: str = ""

    @property
    def text_at(self) -> int:
        return self.top + 14

    @property
    def bar_at(self) -> int:
        return self.top + BAR_TOP

    @property
    def few_at(self) -> int:
        return self.bar_at + BAR - 1

    @property
    def middle(self) -> int:
        return self.bar_at + BAR // 2


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one group below its label."""

    label: str
    top: int
    bars: list[Bar]

    @property
    def text_at(self) -> int:
        return self.top + 16


@dataclass(frozen=True, slots=True)
class Plot:
    """All groups on one scale."""

    groups: list[Bars]
    ticks: list[Tick]
    height: int
    bar_height: int = BAR

    @property
    def foot(self) -> int:
        return self.height - FOOT

    @property
    def figures_at(self) -> int:
        return self.height - 6


def plot(groups: Sequence[Group]) -> Plot:
    """Lay out the groups below each other, in their order, on the least scale that holds them."""
    found = [measured for _label, rows in groups for _name, measured in rows]
    scale = scale_for(one.high for one in found if one is not None)
    laid, top = [], 0
    for label, rows in groups:
        bars = [
            _bar(name, place, top + HEAD + place * ROW, measured, scale)
            for place, (name, measured) in enumerate(rows)
        ]
        laid.append(Bars(label, top, bars))
        top += HEAD + len(rows) * ROW + GAP
    return Plot(laid, ticks_of(scale), top + FOOT)


def _bar(label: str, place: int, top: int, found: Measured | None, scale: float) -> Bar:
    if found is None:
        return Bar(label, place, top)
    width, low, high = (_percent(end, scale) for end in (found.mean, found.low, found.high))
    return Bar(label, place, top, found.mean, width, low, high)


def _percent(share: float, scale: float) -> str:
    """Return a place on the scale as SVG reads it, whatever the language of the page."""
    return f"{100 * min(max(share / scale, 0.0), 1.0):.2f}%"
