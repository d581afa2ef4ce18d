"""Shares, how sure they are, and where bars end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from reminders.figures import BANDS, Rate, plot, wilson


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Worked by hand from the formula with z = 1.95996, to four places.
        (0, 10, 0.0, 0.2775),
        (1, 10, 0.0179, 0.4042),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
        (7, 100, 0.0343, 0.1375),
    ],
)
def test_the_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    assert wilson(count, of) == pytest.approx((low, high), abs=5e-5)


def test_of_nothing_everything_is_possible() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("of", [1, 11, 40, 1000])
def test_the_share_lies_in_its_interval_and_the_interval_in_what_is_possible(of: int) -> None:
    for count in range(of + 1):
        low, high = wilson(count, of)
        assert 0 <= low <= count / of + 1e-12
        assert count / of - 1e-12 <= high <= 1


def test_more_visits_make_one_surer() -> None:
    widths = [high - low for low, high in (wilson(n, 10 * n) for n in (1, 10, 100))]
    assert widths == sorted(widths, reverse=True)


def test_eleven_visits_are_enough_and_ten_are_not() -> None:
    assert Rate(1, 11).is_enough
    assert not Rate(1, 10).is_enough


def test_the_bands_follow_each_other_without_a_gap() -> None:
    for (_, last), (first, _end) in pairwise(BANDS):
        assert last is not None
        assert first == last + 1


class TestPlot:
    def test_a_bar_ends_at_its_share_of_the_scale(self) -> None:
        drawn = plot([("Ada", Rate(10, 100))], overall=Rate(10, 100))
        (bar,) = drawn.bars
        assert [tick.share for tick in drawn.ticks] == [0.0, 0.1, 0.2]
        assert bar.width == "50.00%"
        assert (bar.low, bar.high) == ("27.61%", "87.18%")
        assert drawn.overall == "50.00%"

    def test_the_scale_holds_every_interval(self) -> None:
        rows = [("one", Rate(3, 12)), ("two", Rate(0, 500))]
        drawn = plot(rows, overall=Rate(3, 512))
        ends = [float(bar.high.rstrip("%")) for bar in drawn.bars]
        assert max(ends) <= 100
        assert drawn.ticks[-1].share == 0.6

    def test_a_few_visits_get_a_line_without_a_bar(self) -> None:
        drawn = plot([("few", Rate(9, 10)), ("more", Rate(0, 50))], overall=Rate(9, 60))
        assert [bar.width for bar in drawn.bars] == ["", "0.00%"]
        assert drawn.ticks[-1].share < 0.5, "ten visits stretch no scale"

    def test_rows_do_not_touch(self) -> None:
        drawn = plot([(str(n), Rate(2, 20)) for n in range(4)], overall=Rate(8, 80))
        for above, below in pairwise(drawn.bars):
            assert above.bar_at + drawn.bar_height < below.text_at - 10
        assert drawn.bars[-1].bar_at + drawn.bar_height < drawn.foot

    def test_of_no_visits_nothing_is_drawn(self) -> None:
        drawn = plot([], overall=Rate(0, 0))
        assert (drawn.bars, drawn.overall) == ([], "")
