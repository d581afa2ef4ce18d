"""A visit is offered where it fits, and refused elsewhere for a reason that can be named."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from scheduling.intervals import Interval
from scheduling.slots import Reason, Slot, Visit, Window, free_slots, why_not

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 6, 1)
SPRING = date(2026, 3, 8)
AUTUMN = date(2026, 11, 1)
LONG_BEFORE = datetime(2026, 1, 2, tzinfo=UTC)
MORNING = Window(
    clinic="riverside",
    zone=NEW_YORK,
    weekday=0,
    start=time(9),
    end=time(11),
    step=30,
    valid_from=date(2026, 1, 1),
    valid_until=None,
)
CHECKUP = Visit(type="checkup", minutes=30)


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK)


def between(start: str, end: str) -> Interval:
    return Interval(at(start), at(end))


def offered(
    *windows: Window,
    visit: Visit = CHECKUP,
    day: date = MONDAY,
    blocked: tuple[Interval, ...] = (),
    away: tuple[Interval, ...] = (),
    now: datetime = LONG_BEFORE,
) -> list[Slot]:
    return free_slots(
        windows=windows or (MORNING,),
        visit=visit,
        first_day=day,
        last_day=day,
        blocked=blocked,
        away=away,
        now=now,
    )


def clocks(slots: list[Slot]) -> list[str]:
    return [slot.start.astimezone(NEW_YORK).strftime("%H:%M") for slot in slots]


def refusal(
    start: datetime,
    *windows: Window,
    visit: Visit = CHECKUP,
    away: tuple[Interval, ...] = (),
    now: datetime = LONG_BEFORE,
    on_grid: bool = True,
) -> Reason | None:
    return why_not(
        windows=windows or (MORNING,),
        visit=visit,
        start=start,
        clinic="riverside",
        away=away,
        now=now,
        on_grid=on_grid,
    )


def all_night(day: date) -> Window:
    return replace(MORNING, weekday=day.weekday(), start=time(0), end=time(6))


def test_an_empty_morning_offers_every_step_that_fits() -> None:
    assert clocks(offered()) == ["09:00", "09:30", "10:00", "10:30"]


def test_a_visit_longer_than_the_step_stops_earlier_and_overlaps_its_neighbours() -> None:
    assert clocks(offered(visit=replace(CHECKUP, minutes=50))) == ["09:00", "09:30", "10:00"]


def test_a_visit_without_a_length_takes_the_step() -> None:
    (first, *_) = offered(visit=replace(CHECKUP, minutes=None))
    assert first.end - first.start == timedelta(minutes=30)


def test_a_booking_takes_the_starts_that_would_overlap_it_and_no_more() -> None:
    assert clocks(offered(blocked=(between("09:30", "10:00"),))) == ["09:00", "10:00", "10:30"]


def test_a_slot_may_cross_where_two_windows_touch() -> None:
    later = replace(MORNING, start=time(11), end=time(12), step=60)
    hour = replace(CHECKUP, minutes=60)
    assert "10:30" in clocks(offered(MORNING, later, visit=hour))
    assert refusal(at("10:30"), MORNING, later, visit=hour) is None
    assert refusal(at("10:30"), visit=hour) is Reason.OUTSIDE_HOURS


def test_a_slot_may_not_cross_into_another_clinic() -> None:
    later = replace(MORNING, clinic="hillside", start=time(11), end=time(12))
    slots = offered(MORNING, later, visit=replace(CHECKUP, minutes=60))
    assert clocks([slot for slot in slots if slot.clinic == "riverside"])[-1] == "10:00"


def test_a_slot_may_not_cross_into_hours_kept_for_other_types() -> None:
    later = replace(MORNING, start=time(11), end=time(12), types=frozenset({"surgery"}))
    hour = replace(CHECKUP, minutes=60)
    assert clocks(offered(MORNING, later, visit=hour))[-1] == "10:00"
    assert refusal(at("10:30"), MORNING, later, visit=hour) is Reason.TYPE_NOT_ALLOWED


def test_a_night_visit_may_cross_midnight() -> None:
    late = replace(MORNING, start=time(23), end=time(0))
    early = replace(MORNING, weekday=1, start=time(0), end=time(1))
    hour = replace(CHECKUP, minutes=60)
    assert clocks(offered(late, early, visit=hour)) == ["23:00", "23:30"]
    assert refusal(at("23:30"), late, early, visit=hour) is None


def test_buffers_may_reach_outside_the_hours() -> None:
    buffered = replace(CHECKUP, buffer_before=15, buffer_after=15)
    assert clocks(offered(visit=buffered)) == ["09:00", "09:30", "10:00", "10:30"]
    assert offered(visit=buffered)[0].busy(buffered) == between("08:45", "09:45")


def test_buffers_may_reach_into_time_off_but_the_visit_may_not() -> None:
    buffered = replace(CHECKUP, buffer_before=15, buffer_after=15)
    off = between("09:45", "10:00")
    assert clocks(offered(visit=buffered, away=(off,))) == ["09:00", "10:00", "10:30"]
    assert refusal(at("09:30"), visit=buffered, away=(off,)) is Reason.AWAY


def test_a_buffer_may_touch_a_booking_but_not_overlap_it() -> None:
    booked = between("09:45", "10:15")
    assert clocks(offered(visit=replace(CHECKUP, buffer_after=15), blocked=(booked,))) == [
        "09:00",
        "10:30",
    ]
    assert "09:00" not in clocks(
        offered(visit=replace(CHECKUP, buffer_after=16), blocked=(booked,))
    )
    assert "10:30" not in clocks(
        offered(visit=replace(CHECKUP, buffer_before=16), blocked=(booked,))
    )


def test_minimum_notice_is_met_to_the_second() -> None:
    noticed = replace(CHECKUP, notice=timedelta(hours=1))
    assert clocks(offered(visit=noticed, now=at("09:00"))) == ["10:00", "10:30"]
    assert "10:00" not in clocks(offered(visit=noticed, now=at("09:00:01")))
    assert refusal(at("09:30"), visit=noticed, now=at("09:00")) is Reason.TOO_SOON


def test_the_horizon_counts_local_days_from_today() -> None:
    week = replace(CHECKUP, horizon_days=7)
    monday_before, day_after = at("23:59", date(2026, 5, 25)), at("00:00", date(2026, 5, 24))
    assert offered(visit=week, now=monday_before)
    assert offered(visit=week, now=day_after) == []
    assert refusal(at("09:00"), visit=week, now=day_after) is Reason.TOO_FAR


def test_what_has_passed_is_not_offered() -> None:
    assert clocks(offered(now=at("09:30"))) == ["09:30", "10:00", "10:30"]
    assert refusal(at("09:00"), now=at("09:30")) is Reason.PAST


def test_a_start_between_two_steps_is_only_for_those_who_may_leave_the_grid() -> None:
    assert refusal(at("09:10")) is Reason.NOT_ON_GRID
    assert refusal(at("09:10"), on_grid=False) is None
    assert refusal(at("10:40"), on_grid=False) is Reason.OUTSIDE_HOURS
    assert refusal(at("10:40"), visit=replace(CHECKUP, minutes=None)) is Reason.OUTSIDE_HOURS


def test_another_clinic_has_no_hours_here() -> None:
    elsewhere = replace(MORNING, clinic="hillside")
    assert refusal(at("09:00"), elsewhere) is Reason.OUTSIDE_HOURS
    assert offered(elsewhere)[0].clinic == "hillside"


def test_a_start_that_the_gap_skips_does_not_exist() -> None:
    assert clocks(offered(all_night(SPRING), day=SPRING))[3:6] == ["01:30", "03:00", "03:30"]


def test_a_visit_runs_on_through_a_gap() -> None:
    half_past_one = at("01:30", SPRING)
    hour = replace(CHECKUP, minutes=60)
    slots = offered(all_night(SPRING), day=SPRING, visit=hour)
    (slot,) = [slot for slot in slots if slot.start == half_past_one]
    assert slot.end.astimezone(NEW_YORK).strftime("%H:%M") == "03:30"


def test_a_start_in_a_fold_is_offered_twice() -> None:
    slots = offered(all_night(AUTUMN), day=AUTUMN)
    twice = [slot.start for slot in slots if clocks([slot]) == ["01:30"]]
    assert twice == [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)]


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (MONDAY, 24)])
def test_a_whole_day_offers_as_many_hours_as_it_has(day: date, hours: int) -> None:
    whole = replace(MORNING, weekday=day.weekday(), start=time(0), end=time(0), step=60)
    slots = offered(whole, day=day, visit=replace(CHECKUP, minutes=60))
    assert len(slots) == hours
    assert all(a.end == b.start for a, b in pairwise(slots))


def test_where_clocks_go_back_across_midnight_visits_run_on_from_one_date_to_the_other() -> None:
    # St. John's, until 2011: Sunday 00:01 was followed by Saturday 23:01.
    saturday, sunday = date(2010, 11, 6), date(2010, 11, 7)
    late = replace(
        MORNING,
        zone=ZoneInfo("America/St_Johns"),
        weekday=5,
        start=time(23),
        end=time(0),
        valid_from=date(2010, 1, 1),
    )
    early = replace(late, weekday=6, start=time(0), end=time(1))
    before, midnight = datetime(2010, 11, 1, tzinfo=UTC), datetime(2010, 11, 7, 2, 30, tzinfo=UTC)
    half_hour = timedelta(minutes=30)
    assert [slot.start for slot in offered(late, early, day=sunday, now=before)] == [
        midnight,
        midnight + 2 * half_hour,
        midnight + 3 * half_hour,
    ]
    just_after = midnight + timedelta(seconds=30)
    assert [slot.start for slot in offered(late, early, day=saturday, now=just_after)] == [
        midnight + half_hour
    ]
    hour = replace(CHECKUP, minutes=60)
    assert refusal(midnight - half_hour, late, early, visit=hour, now=before) is None


def test_a_visit_without_a_length_takes_the_step_whose_grid_it_starts_on() -> None:
    finer = replace(MORNING, start=time(8, 50), end=time(10, 30), step=20)
    visit = replace(CHECKUP, minutes=None)
    slots = offered(MORNING, finer, visit=visit, away=(between("09:50", "11:00"),))
    assert ("09:00", 30) in [
        (clock, (slot.end - slot.start).seconds // 60)
        for slot, clock in zip(slots, clocks(slots), strict=True)
    ]
    off = between("09:25", "11:00")
    assert refusal(at("09:00"), MORNING, finer, visit=visit, away=(off,)) is Reason.AWAY


def test_where_windows_offer_one_start_with_two_lengths_the_shorter_is_taken() -> None:
    longer = replace(MORNING, step=60)
    visit = replace(CHECKUP, minutes=None)
    assert offered(MORNING, longer, visit=visit) == offered(longer, MORNING, visit=visit)
    assert offered(longer, MORNING, visit=visit) == offered(MORNING, visit=visit)


def test_slots_of_several_clinics_are_ordered_by_start_and_then_clinic() -> None:
    slots = offered(MORNING, replace(MORNING, clinic="hillside"))
    assert [slot.clinic for slot in slots[:2]] == ["hillside", "riverside"]
    assert clocks(slots[:4]) == ["09:00", "09:00", "09:30", "09:30"]


def test_the_end_of_the_calendar_is_too_far_and_no_accident() -> None:
    edge = datetime.max.replace(tzinfo=UTC)
    assert refusal(edge) is Reason.TOO_FAR
    assert refusal(datetime.min.replace(tzinfo=UTC)) is Reason.PAST
    assert offered(day=date.max) == []
    assert offered(day=date.min) == []


def test_a_naive_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        offered(now=LONG_BEFORE.replace(tzinfo=None))
    with pytest.raises(ValueError, match="naive"):
        refusal(at("09:00").replace(tzinfo=None))


def test_a_visit_without_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one minute"):
        replace(CHECKUP, minutes=0)


def test_negative_buffers_and_notice_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        replace(CHECKUP, buffer_after=-1)
    with pytest.raises(ValueError, match="cannot be negative"):
        replace(CHECKUP, notice=timedelta(minutes=-1))
