"""Intervals touch without overlapping, join where they touch, and are cut exactly."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.intervals import Interval, in_utc, merge, subtract

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def span(start: int, end: int) -> Interval:
    return Interval(NOON + timedelta(minutes=start), NOON + timedelta(minutes=end))


def minutes(intervals: list[Interval]) -> set[int]:
    """The minutes after noon that the intervals cover, found by asking each minute."""
    return {
        minute
        for minute in range(-5, 70)
        if any(i.start <= NOON + timedelta(minutes=minute) < i.end for i in intervals)
    }


spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda pair: span(pair[0], sum(pair))),
    max_size=8,
)


@pytest.mark.parametrize("length", [0, -1])
def test_an_interval_that_is_empty_or_runs_backwards_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="end after its start"):
        span(0, length)


@pytest.mark.parametrize("naive", ["start", "end"])
def test_a_naive_datetime_is_refused(naive: str) -> None:
    ends = {"start": NOON, "end": NOON + timedelta(hours=1)}
    ends[naive] = ends[naive].replace(tzinfo=None)
    with pytest.raises(ValueError, match="naive"):
        Interval(**ends)


def test_an_interval_given_in_another_zone_is_kept_in_utc() -> None:
    new_york = ZoneInfo("America/New_York")
    fold = datetime(2026, 11, 1, 1, 30, tzinfo=new_york)
    interval = Interval(fold, fold.replace(fold=1))
    assert interval.start == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert interval.end - interval.start == timedelta(hours=1)
    assert interval.start.tzinfo is UTC


def test_a_naive_moment_has_no_utc() -> None:
    with pytest.raises(ValueError, match="naive"):
        in_utc(NOON.replace(tzinfo=None))


def test_touching_intervals_do_not_overlap() -> None:
    assert not span(0, 30).overlaps(span(30, 60))
    assert not span(30, 60).overlaps(span(0, 30))


def test_intervals_that_share_a_minute_overlap_whoever_asks() -> None:
    assert span(0, 31).overlaps(span(30, 60))
    assert span(30, 60).overlaps(span(0, 31))
    assert span(0, 60).overlaps(span(10, 20))


def test_an_interval_contains_itself_but_nothing_longer() -> None:
    assert span(0, 30).contains(span(0, 30))
    assert span(0, 30).contains(span(5, 25))
    assert not span(0, 30).contains(span(0, 31))
    assert not span(0, 30).contains(span(-1, 30))


def test_touching_intervals_are_joined_and_distant_ones_are_sorted() -> None:
    assert merge([span(40, 50), span(10, 20), span(0, 10)]) == [span(0, 20), span(40, 50)]


def test_a_long_interval_swallows_a_short_one() -> None:
    assert merge([span(0, 60), span(10, 20)]) == [span(0, 60)]


def test_a_hole_in_the_middle_leaves_both_sides() -> None:
    assert subtract([span(0, 60)], [span(20, 30)]) == [span(0, 20), span(30, 60)]


def test_a_hole_that_only_touches_takes_nothing() -> None:
    assert subtract([span(10, 20)], [span(0, 10), span(20, 30)]) == [span(10, 20)]


def test_a_hole_over_several_intervals_cuts_them_all() -> None:
    assert subtract([span(0, 10), span(20, 30)], [span(5, 25)]) == [span(0, 5), span(25, 30)]


@given(spans)
def test_merging_keeps_every_minute_and_leaves_nothing_to_join(given_spans: list[Interval]) -> None:
    merged = merge(given_spans)
    assert minutes(merged) == minutes(given_spans)
    assert all(a.end < b.start for a, b in pairwise(merged))


@given(spans, spans)
def test_subtracting_leaves_exactly_the_minutes_in_no_hole(
    given_spans: list[Interval], holes: list[Interval]
) -> None:
    left = subtract(given_spans, holes)
    assert minutes(left) == minutes(given_spans) - minutes(holes)
    assert left == merge(left)
