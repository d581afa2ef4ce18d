"""Why nothing was found, rule by rule, in calendars without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.explanations import Asked, Calendar, Filter, Gap, Hold, Reason
from scheduling.intervals import Interval
from scheduling.reasons import find_reason
from scheduling.slots import Visit, free_slots
from scheduling.windows import Window

ZONE = ZoneInfo("America/New_York")
MONDAY = date(2026, 6, 8)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
VISIT = Visit(type="follow-up", minutes=30)


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), ZONE).astimezone(UTC)


def span(start: str, end: str, day: date = MONDAY) -> Interval:
    return Interval(at(start, day), at(end, day))


def hours(start: str = "09:00", end: str = "11:00", weekday: int = 0, *types: str) -> Window:
    return Window(
        clinic="riverside",
        zone=ZONE,
        weekday=weekday,
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
        step=30,
        valid_from=date(2026, 1, 1),
        valid_until=None,
        types=frozenset(types),
    )


MORNING = Calendar([hours()])
ASKED = Asked(VISIT, MONDAY, MONDAY, now=at("08:00"))


def test_a_time_that_is_free_is_told() -> None:
    assert find_reason([MORNING], ASKED).reason is Reason.FREE_BY_NOW


def test_days_that_run_backwards_are_over() -> None:
    found = find_reason([MORNING], replace(ASKED, last_day=MONDAY - DAY))
    assert (found.reason, found.filters) == (Reason.FILTERED_OUT, frozenset({Filter.DATES}))


@pytest.mark.parametrize("calendars", [[], [Calendar([])], [Calendar([hours(weekday=1)])]])
def test_without_hours_on_the_day_it_is_outside_hours(calendars: list[Calendar]) -> None:
    assert find_reason(calendars, ASKED).reason is Reason.OUTSIDE_HOURS


def test_hours_that_have_passed_are_outside_hours() -> None:
    assert find_reason([MORNING], replace(ASKED, now=at("10:31"))).reason is Reason.OUTSIDE_HOURS


def test_hours_for_other_visits_do_not_allow_the_type() -> None:
    other = Calendar([hours("09:00", "11:00", 0, "new-patient")])
    assert find_reason([other], ASKED).reason is Reason.TYPE_NOT_ALLOWED


def test_a_closure_is_told_from_an_absence_and_when_each_ends() -> None:
    week = span("00:00", "23:00")
    closed = find_reason([replace(MORNING, closed=[week])], ASKED)
    away = find_reason([replace(MORNING, away=[week])], ASKED)
    assert (closed.reason, closed.until) == (Reason.CLOSED, at("23:00"))
    assert (away.reason, away.until) == (Reason.AWAY, at("23:00"))


def test_an_absence_of_one_and_a_closure_of_another_are_an_absence() -> None:
    calendars = [
        replace(MORNING, closed=[span("00:00", "12:00")]),
        replace(MORNING, away=[span("00:00", "13:00")]),
    ]
    found = find_reason(calendars, ASKED)
    assert (found.reason, found.until) == (Reason.AWAY, at("12:00"))


def test_hours_that_are_shorter_than_the_visit_leave_too_short_a_gap() -> None:
    found = find_reason([Calendar([hours("09:00", "09:20")])], ASKED)
    assert found.reason is Reason.GAP_TOO_SHORT
    assert found.gap == Gap(at("09:00"), 20 * MINUTE, 30 * MINUTE, beside_visits=False)


def test_the_longest_gap_between_visits_stands_beside_what_the_visit_needs() -> None:
    visits = [span("09:00", "09:40"), span("10:05", "10:45")]
    long = replace(VISIT, minutes=40, buffer_before=5, buffer_after=5)
    found = find_reason([replace(MORNING, visits=visits)], replace(ASKED, visit=long))
    assert found.reason is Reason.GAP_TOO_SHORT
    assert found.gap == Gap(at("09:40"), 25 * MINUTE, 50 * MINUTE, beside_visits=True)


def test_a_gap_off_the_grid_is_told_with_its_length() -> None:
    visits = [span("09:00", "09:40"), span("10:15", "11:00")]
    found = find_reason([replace(MORNING, visits=visits)], ASKED)
    assert found.gap == Gap(at("09:40"), 35 * MINUTE, 30 * MINUTE, beside_visits=True)


def test_without_any_gap_it_is_booked() -> None:
    found = find_reason([replace(MORNING, visits=[span("09:00", "11:00")])], ASKED)
    assert (found.reason, found.gap) == (Reason.BOOKED, None)


def test_the_last_times_that_are_only_held_name_when_the_first_may_be_free() -> None:
    holds = [
        Hold(span("10:00", "10:30"), expires=at("08:20")),
        Hold(span("10:30", "11:00"), expires=at("08:10")),
        Hold(span("09:00", "09:30"), expires=at("08:01")),
    ]
    busy = replace(MORNING, visits=[span("09:00", "10:00")], holds=holds)
    found = find_reason([busy], ASKED)
    assert (found.reason, found.until) == (Reason.HELD, at("08:10"))


def test_notice_is_to_blame_only_where_something_is_free_too_soon() -> None:
    soon = replace(ASKED, visit=replace(VISIT, notice=timedelta(hours=4)))
    assert find_reason([MORNING], soon).reason is Reason.NOTICE
    booked = replace(MORNING, visits=[span("09:00", "11:00")])
    assert find_reason([booked], soon).reason is Reason.BOOKED


def test_beyond_the_horizon_the_horizon_is_to_blame() -> None:
    far = replace(ASKED, now=at("08:00", MONDAY - 8 * DAY), visit=replace(VISIT, horizon_days=7))
    assert find_reason([MORNING], far).reason is Reason.HORIZON


def test_the_place_where_the_visit_stands_is_not_free() -> None:
    own = replace(MORNING, visits=[span("09:00", "10:30")], own_start=at("10:30"))
    found = find_reason([own], ASKED)
    assert (found.reason, found.gap) == (Reason.BOOKED, None)
    assert find_reason([replace(own, own_start=at("09:00"))], ASKED).reason is Reason.FREE_BY_NOW


def test_the_time_of_day_is_to_blame_with_what_rules_it_out() -> None:
    evening = replace(ASKED, not_before=time(17))
    found = find_reason([MORNING], evening)
    assert (found.reason, found.filters) == (Reason.FILTERED_OUT, frozenset({Filter.TIME_OF_DAY}))
    assert found.among_wanted is Reason.OUTSIDE_HOURS
    late = replace(ASKED, not_before=time(10))
    found = find_reason([replace(MORNING, visits=[span("10:00", "11:00")])], late)
    assert found.among_wanted is Reason.BOOKED


def test_the_weekdays_are_to_blame_where_the_hours_would_do() -> None:
    tuesday = replace(ASKED, weekdays=frozenset({1}), not_before=time(9))
    assert find_reason([MORNING], tuesday).filters == {Filter.WEEKDAY}


def test_both_are_to_blame_where_neither_alone_would_do() -> None:
    both = replace(ASKED, weekdays=frozenset({1}), not_before=time(17))
    assert find_reason([MORNING], both).filters == {Filter.TIME_OF_DAY, Filter.WEEKDAY}


@st.composite
def spans(draw: st.DrawFn) -> list[Interval]:
    starts = draw(st.lists(st.integers(8 * 60, 12 * 60), max_size=5))
    lengths = draw(st.lists(st.integers(5, 90), min_size=5, max_size=5))
    begin = at("00:00")
    return [
        Interval(begin + start * MINUTE, begin + (start + length) * MINUTE)
        for start, length in zip(starts, lengths, strict=False)
    ]


@given(visits=spans(), held=spans(), away=spans(), closed=spans(), notice=st.integers(0, 300))
def test_something_is_free_exactly_where_the_slot_rule_finds_something(
    visits: list[Interval],
    held: list[Interval],
    away: list[Interval],
    closed: list[Interval],
    notice: int,
) -> None:
    visit = replace(VISIT, buffer_after=10, notice=notice * MINUTE)
    asked = replace(ASKED, visit=visit)
    calendar = Calendar([hours()], visits, [Hold(h, asked.now) for h in held], away, closed)
    free = free_slots(
        windows=calendar.windows,
        visit=visit,
        first_day=MONDAY,
        last_day=MONDAY,
        blocked=[*visits, *held],
        away=[*away, *closed],
        now=asked.now,
    )
    found = find_reason([calendar], asked)
    assert (found.reason is Reason.FREE_BY_NOW) == bool(free)
    if found.gap is not None and found.gap.beside_visits:
        assert found.reason is Reason.GAP_TOO_SHORT
        assert found.gap.needed == 40 * MINUTE
