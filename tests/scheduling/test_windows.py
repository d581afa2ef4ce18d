"""Recurring hours apply on their weekday and dates, and offer starts along their grid."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduling.windows import Window, starts, working

MONDAY = date(2026, 6, 1)
MORNING = Window(
    clinic="riverside",
    zone=ZoneInfo("America/New_York"),
    weekday=0,
    start=time(9),
    end=time(10),
    step=20,
    valid_from=date(2026, 1, 1),
    valid_until=None,
)
NIGHT = replace(MORNING, start=time(22), end=time(0))


def wall_clock(moments: list[datetime]) -> list[str]:
    return [moment.astimezone(MORNING.zone).strftime("%H:%M") for moment in moments]


def test_starts_run_along_the_grid_and_stop_before_the_end() -> None:
    assert wall_clock(starts(MORNING, MONDAY)) == ["09:00", "09:20", "09:40"]


def test_a_step_that_does_not_divide_the_hours_still_offers_its_last_start() -> None:
    assert wall_clock(starts(replace(MORNING, step=25), MONDAY)) == ["09:00", "09:25", "09:50"]


def test_hours_until_midnight_end_with_the_day() -> None:
    assert wall_clock(starts(NIGHT, MONDAY))[-1] == "23:40"


def test_a_weekday_without_hours_offers_nothing() -> None:
    assert starts(MORNING, MONDAY + timedelta(days=1)) == []


def test_both_validity_dates_are_worked_and_none_outside_them() -> None:
    window = replace(MORNING, valid_from=MONDAY, valid_until=MONDAY + timedelta(days=7))
    mondays = [MONDAY + timedelta(weeks=week) for week in (-1, 0, 1, 2)]
    assert [bool(starts(window, day)) for day in mondays] == [False, True, True, False]


def test_a_night_shift_of_two_rows_is_one_stretch_across_midnight() -> None:
    small_hours = replace(MORNING, weekday=1, start=time(0), end=time(6))
    (night,) = working([small_hours, NIGHT], MONDAY, MONDAY + timedelta(days=1))["riverside"]
    assert night.start == datetime(2026, 6, 2, 2, tzinfo=UTC)
    assert night.end - night.start == timedelta(hours=8)


def test_touching_hours_of_two_clinics_stay_apart() -> None:
    there = replace(MORNING, clinic="hillside", start=time(10), end=time(11))
    hours = working([MORNING, there], MONDAY, MONDAY)
    assert {clinic: len(pieces) for clinic, pieces in hours.items()} == {
        "riverside": 1,
        "hillside": 1,
    }
    assert hours["riverside"][0].end == hours["hillside"][0].start


def test_the_grid_is_told_from_the_times_between() -> None:
    nine = datetime(2026, 6, 1, 13, tzinfo=UTC)
    assert MORNING.offers(nine + timedelta(minutes=40))
    assert not MORNING.offers(nine + timedelta(minutes=41))
    assert not MORNING.offers(nine + timedelta(seconds=1))
    assert not MORNING.offers(nine + timedelta(minutes=60))


@pytest.mark.parametrize("end", [time(9), time(8)])
def test_hours_that_do_not_end_after_they_start_are_refused(end: time) -> None:
    with pytest.raises(ValueError, match="end after they start"):
        replace(MORNING, end=end)


def test_a_step_of_no_minutes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one minute"):
        replace(MORNING, step=0)
