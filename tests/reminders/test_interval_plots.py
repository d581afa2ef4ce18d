"""Where bars and the ends of their ranges stand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from reminders.interval_plots import plot


@dataclass(frozen=True)
class Share:
    mean: float
    low: float
    high: float


def test_bars_are_percent_of_the_least_scale_that_holds_every_range() -> None:
    drawn = plot([("Soon", [("One", Share(0.1, 0.05, 0.15)), ("Many", Share(0.3, 0.2, 0.39))])])
    ((one, many),) = [group.bars for group in drawn.groups]
    assert (one.width, one.low, one.high) == ("25.00%", "12.50%", "37.50%")
    assert (many.width, many.low, many.high) == ("75.00%", "50.00%", "97.50%")
    assert [tick.share for tick in drawn.ticks] == [0.0, 0.2, 0.4]


def test_a_range_beyond_all_and_nothing_is_cut_at_the_edges() -> None:
    (group,) = plot([("Soon", [("One", Share(0.9, -0.2, 1.2))])]).groups
    assert (group.bars[0].low, group.bars[0].high) == ("0.00%", "100.00%")


def test_what_was_not_measured_has_no_bar() -> None:
    (group,) = plot([("Soon", [("One", None)])]).groups
    assert (group.bars[0].width, group.bars[0].share) == ("", None)


@pytest.mark.parametrize("count", [1, 3])
def test_groups_and_bars_stand_below_each_other(count: int) -> None:
    drawn = plot([(f"Group {n}", [("One", None)] * count) for n in range(3)])
    tops = [place for group in drawn.groups for place in (group.top, *(b.top for b in group.bars))]
    assert tops == sorted(set(tops))
    assert drawn.groups[-1].bars[-1].bar_at + drawn.bar_height < drawn.foot < drawn.height
