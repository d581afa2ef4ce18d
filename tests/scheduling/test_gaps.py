"""How much free time a booking wastes, by examples and against a count of every minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduling.blocks.timeline import minute_of
from scheduling.gaps import Diary
from scheduling.intervals import Interval
from scheduling.slots import Visit, Window
from tests.scheduling.test_slots_oracle import (
    PLACES,
    covered,
    each_minute,
    stretches,
    windows,
)

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 6, 8)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def at(clock: str, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), NEW_YORK)


def hours(begin: str = "08:00", end: str = "12:00", *, step: int = 20, **more: object) -> Window:
    known = {"clinic": "a", "zone": NEW_YORK, "weekday": 0, "valid_from": date(2026, 1, 1)}
    known |= {"valid_until": None, "start": time.fromisoformat(begin)} | more
    return Window(end=time.fromisoformat(end), step=step, **known)  # type: ignore[arg-type]


def visit(minutes: int | None, before: int = 0, after: int = 0, name: str = "new") -> Visit:
    return Visit(name, minutes, before, after)


def diary(
    *windows: Window, visits: list[Visit], now: datetime = LONG_AGO, **taken: object
) -> Diary:
    busy: dict[str, object] = {"taken": [], "away": []} | taken
    return Diary(windows, visits=visits, day=MONDAY, now=now, **busy)  # type: ignore[arg-type]


def in_minutes(interval: Interval) -> tuple[int, int]:
    return minute_of(interval.start), minute_of(interval.end)


def waste(of: Diary, wanted: Visit) -> dict[str, int]:
    """Return what each start on offer would waste, by the clock."""
    return {
        f"{at.start.astimezone(NEW_YORK):%H:%M}": of.wasted(wanted, at) for at in of.offered(wanted)
    }


def test_a_short_visit_wastes_what_is_left_beside_it_of_a_long_ones_time() -> None:
    long, short = visit(60), visit(20)
    wasted = waste(diary(hours("08:00", "10:00"), visits=[long]), short)
    assert wasted == {
        "08:00": 0, "08:20": 20, "08:40": 40, "09:00": 40, "09:20": 20, "09:40": 0,
    }  # fmt: skip
    wasted = waste(diary(hours("08:00", "09:30", step=30), visits=[long]), visit(30))
    assert wasted == {"08:00": 0, "08:30": 60, "09:00": 0}


def test_nothing_is_wasted_where_a_shorter_visit_fits_in_between() -> None:
    wasted = waste(diary(hours(), visits=[visit(60), visit(20)]), visit(20))
    assert set(wasted.values()) == {0}


def test_what_was_of_no_use_before_is_not_counted() -> None:
    forty = diary(hours("08:00", "08:50", step=25), visits=[visit(40)])
    assert waste(forty, visit(40)) == {"08:00": 0}


def test_a_visit_that_has_the_steps_length_and_buffers_takes_its_buffers_along() -> None:
    with_buffer = visit(None, after=10)
    wasted = waste(diary(hours("08:00", "10:00", step=30), visits=[with_buffer]), with_buffer)
    assert wasted == {"08:00": 20, "08:30": 50, "09:00": 40, "09:30": 20}


def test_hours_for_one_type_alone_are_of_use_to_it_alone() -> None:
    for_others = hours("09:00", "10:00", types=frozenset({"other"}))
    both = [hours("08:00", "09:00"), for_others]
    alone = diary(*both, visits=[visit(60), visit(20, name="other")])
    assert waste(alone, visit(20)) == {"08:00": 0, "08:20": 0, "08:40": 0}
    nobody = diary(*both, visits=[visit(60)])
    assert waste(nobody, visit(20)) == {"08:00": 40, "08:20": 40, "08:40": 40}


def test_of_two_lengths_at_one_start_the_shorter_is_offered() -> None:
    both = diary(hours("08:00", "09:00", step=30), hours("08:00", "09:00"), visits=[])
    offered = [(place.start, place.end - place.start) for place in both.offered(visit(None))]
    lengths = {f"{start.astimezone(NEW_YORK):%H:%M}": long // MINUTE for start, long in offered}
    assert lengths == {"08:00": 20, "08:20": 20, "08:30": 30, "08:40": 20}


def test_minutes_that_have_passed_cannot_be_wasted() -> None:
    half_past = at("08:30")
    wasted = waste(diary(hours("08:00", "09:30", step=30), visits=[visit(60)]), visit(30))
    assert wasted == {"08:00": 0, "08:30": 60, "09:00": 0}
    later = diary(hours("08:00", "09:30", step=30), visits=[visit(60)], now=half_past)
    assert waste(later, visit(30)) == {"08:30": 30, "09:00": 30}


def test_time_that_is_taken_or_away_bounds_the_gap() -> None:
    busy = [in_minutes(Interval(at("09:00"), at("09:20")))]
    wasted = waste(diary(hours("08:00", "10:20"), visits=[visit(40)], taken=busy), visit(20))
    assert wasted == {"08:00": 0, "08:20": 40, "08:40": 0, "09:20": 0, "09:40": 40, "10:00": 0}
    away = [in_minutes(Interval(at("09:00"), at("10:20")))]
    wasted = waste(diary(hours("08:00", "10:20"), visits=[visit(40)], away=away), visit(20))
    assert wasted == {"08:00": 0, "08:20": 40, "08:40": 0}


@dataclass(frozen=True)
class Question:
    """A day's diary, the visits that may be booked in it, and a place for one of them."""

    zone: ZoneInfo
    day: date
    windows: list[Window]
    visits: list[Visit]
    taken: list[Interval]
    away: list[Interval]
    now: datetime

    def diary(self) -> Diary:
        return Diary(
            self.windows,
            visits=self.visits,
            day=self.day,
            taken=[in_minutes(one) for one in self.taken],
            away=[in_minutes(one) for one in self.away],
            now=self.now,
        )


VISITS = st.builds(
    Visit,
    type=st.sampled_from(["new", "new", "other"]),
    minutes=st.sampled_from([None, 10, 15, 20, 30, 40, 60, 100]),
    buffer_before=st.sampled_from([0, 0, 5, 15]),
    buffer_after=st.sampled_from([0, 0, 10, 30]),
)


@st.composite
def crowded(draw: st.DrawFn, zone: ZoneInfo, near: date) -> list[Interval]:
    """Draw what leaves short gaps between it, from local midnight on."""
    begin = datetime.combine(near, time(), zone).astimezone(UTC)
    found = []
    for gap in draw(st.lists(st.sampled_from([0, 5, 15, 30, 45, 60, 75]), max_size=8)):
        length = draw(st.sampled_from([5, 20, 30, 50]))
        found.append(Interval(begin + gap * MINUTE, begin + (gap + length) * MINUTE))
        begin = found[-1].end
    return found


@st.composite
def questions(draw: st.DrawFn) -> Question:
    name, near = draw(st.sampled_from(PLACES))
    zone = ZoneInfo(name)
    rows = draw(st.lists(windows(zone, near), max_size=2))
    night = Window("a", zone, near.weekday(), time(0), time(9), 15, near - DAY, None)
    first = replace(night, step=draw(st.sampled_from([5, 10, 15, 20, 30])))
    ahead = draw(st.sampled_from([30 * 1440, 30 * 1440, 0, -300]))
    return Question(
        zone=zone,
        day=near,
        windows=[first, *(row for row in rows if row.clinic == "a")],
        visits=draw(st.lists(VISITS, min_size=1, max_size=3)),
        taken=draw(crowded(zone, near)) + draw(stretches(near, longest=120)),
        away=draw(stretches(near, longest=480)),
        now=datetime.combine(near, time(), UTC) - ahead * MINUTE,
    )


class Count:
    """Answers a question by looking at one minute after the other; shares no arithmetic with it."""

    def __init__(self, question: Question) -> None:
        self.question = question
        begin = datetime.combine(question.day, time(), UTC) - DAY - 16 * HOUR
        self.minutes = list(each_minute(begin, begin + 5 * DAY))
        taken, self.away = covered(question.taken), covered(question.away)
        self.untaken = {m for m in self.minutes if m not in taken}
        self.shown = {m: m.astimezone(question.zone).replace(tzinfo=None) for m in self.minutes}
        self.rows = {m: self._rows(reading) for m, reading in self.shown.items()}
        self.placed = {visit: list(self._placed(visit)) for visit in question.visits}

    def _rows(self, shown: datetime) -> list[Window]:
        near = abs(shown.date() - self.question.day) <= DAY
        return [row for row in self.question.windows if near and is_worked(row, shown)]

    def _placed(self, visit: Visit) -> Iterator[Interval]:
        for start, rows in self.rows.items():
            lengths = {visit.minutes or r.step for r in rows if self._offers(r, start, visit)}
            for length in sorted(lengths):
                if start >= self.question.now and self._fits(start, length, visit):
                    yield Interval(start, start + length * MINUTE)

    def _offers(self, row: Window, start: datetime, visit: Visit) -> bool:
        shown = self.shown[start]
        into = (shown.hour - row.start.hour) * 60 + shown.minute - row.start.minute
        return row.allows(visit.type) and into % row.step == 0

    def _fits(self, start: datetime, length: int, visit: Visit) -> bool:
        inside = [start + n * MINUTE for n in range(length)]
        return (
            all(any(row.allows(visit.type) for row in self.rows[m]) for m in inside)
            and self.away.isdisjoint(inside)
            and busy_minutes(visit, Interval(start, start + length * MINUTE)) <= self.untaken
        )

    def on_offer(self, visit: Visit) -> list[Interval]:
        """Return the places on the day itself, the shortest at each start."""
        of_day = [p for p in self.placed[visit] if self.shown[p.start].date() == self.question.day]
        return [next(same) for _start, same in groupby(of_day, key=lambda place: place.start)]

    def useless(self, booked: set[datetime]) -> int:
        """Count the free minutes beside the booked ones that no visit could take."""
        used = set(booked)
        for visit, places in self.placed.items():
            for place in places:
                minutes = busy_minutes(visit, place)
                if minutes.isdisjoint(booked):
                    used |= minutes
        worked = {m for m, rows in self.rows.items() if rows and m >= self.question.now}
        return len((worked & self.untaken) - self.away - used)


def is_worked(row: Window, shown: datetime) -> bool:
    return (
        row.weekday == shown.weekday()
        and row.valid_from <= shown.date() <= (row.valid_until or date.max)
        and row.start <= shown.time()
        and (row.end == time(0) or shown.time() < row.end)
    )


def busy_minutes(visit: Visit, place: Interval) -> set[datetime]:
    begin = place.start - visit.buffer_before * MINUTE
    return set(each_minute(begin, place.end + visit.buffer_after * MINUTE))


@settings(max_examples=50, deadline=None)
@given(questions(), st.data())
def test_a_count_of_every_minute_finds_the_same(question: Question, data: st.DataObject) -> None:
    wanted = question.visits[0]
    diary, count = question.diary(), Count(question)
    offered = count.on_offer(wanted)
    assert diary.offered(wanted) == offered
    assume(offered)
    before = count.useless(set())
    for place in data.draw(st.lists(st.sampled_from(offered), min_size=1, max_size=3)):
        after = count.useless(busy_minutes(wanted, place))
        assert diary.wasted(wanted, place) == after - before


@pytest.mark.parametrize("minutes", [5, 480])
def test_a_visit_of_any_length_fits_within_what_is_looked_at(minutes: int) -> None:
    nights = [hours("00:00", "00:00", weekday=weekday, step=minutes) for weekday in (6, 0, 1)]
    longest = visit(minutes, before=120, after=120)
    offered = diary(*nights, visits=[longest]).offered(longest)
    assert len(offered) == 1440 // minutes
