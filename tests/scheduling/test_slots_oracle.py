"""The slot arithmetic agrees with a naive reading of the rule, minute by minute.

The oracle walks every minute in UTC and asks what the wall clock shows; it shares no arithmetic
with the code under test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduling.intervals import Interval
from scheduling.slots import Slot, Visit, Window, free_slots, why_not

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# Zone, and a local date near which something happens to its clocks, or does not.
PLACES = [
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("America/New_York", date(2026, 6, 1)),
    ("America/Phoenix", date(2026, 3, 8)),
    ("Australia/Adelaide", date(2026, 4, 5)),
    ("Australia/Adelaide", date(2026, 10, 4)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Kolkata", date(2026, 3, 8)),
    ("America/St_Johns", date(2026, 3, 8)),
    ("America/St_Johns", date(2026, 11, 1)),
    ("America/St_Johns", date(2010, 11, 7)),  # 00:01 goes back to 23:01 of the day before
    ("America/Havana", date(2026, 3, 8)),  # a gap that begins at midnight
    ("America/Havana", date(2026, 11, 1)),
    ("Pacific/Apia", date(2011, 12, 30)),  # a date that did not exist
]


@dataclass(frozen=True)
class Case:
    """One question to the slot arithmetic: first and last day, hours, visit and what is busy."""

    zone: ZoneInfo
    first: date
    last: date
    windows: list[Window]
    visit: Visit
    blocked: list[Interval]
    away: list[Interval]
    now: datetime

    def answer(self) -> list[Slot]:
        return free_slots(
            windows=self.windows,
            visit=self.visit,
            first_day=self.first,
            last_day=self.last,
            blocked=self.blocked,
            away=self.away,
            now=self.now,
        )

    def is_allowed(self, start: datetime, clinic: str, *, on_grid: bool = True) -> bool:
        reason = why_not(
            windows=self.windows,
            visit=self.visit,
            start=start,
            clinic=clinic,
            away=self.away,
            now=self.now,
            on_grid=on_grid,
        )
        return reason is None


class Oracle:
    """Answers a case by looking at one minute after the other."""

    def __init__(self, case: Case) -> None:
        self.case = case
        begin = datetime.combine(case.first, time(), UTC) - 16 * timedelta(hours=1)
        end = datetime.combine(case.last, time(), UTC) + DAY + 21 * timedelta(hours=1)
        self.minutes = list(each_minute(begin, end))
        self.shown = {m: m.astimezone(case.zone).replace(tzinfo=None) for m in self.minutes}
        self.busy = covered(case.blocked)
        self.gone = covered(case.away)

    @cached_property
    def worked(self) -> dict[str, set[datetime]]:
        return {clinic: {m for m in self.minutes if self.windows_at(m, clinic)} for clinic in "ab"}

    def windows_at(self, minute: datetime, clinic: str) -> list[Window]:
        """The rows for this visit whose hours the wall clock is in."""
        reading = self.shown[minute]
        return [
            row
            for row in self.case.windows
            if row.clinic == clinic
            and (row.types == frozenset() or self.case.visit.type in row.types)
            and row.weekday == reading.weekday()
            and row.valid_from <= reading.date() <= (row.valid_until or date.max)
            and row.start <= reading.time()
            and (row.end == time(0) or reading.time() < row.end)
        ]

    def on_grid(self, minute: datetime, clinic: str) -> list[Window]:
        reading = self.shown[minute]
        midnight_minute = reading.hour * 60 + reading.minute
        return [
            row
            for row in self.windows_at(minute, clinic)
            if (midnight_minute - row.start.hour * 60 - row.start.minute) % row.step == 0
        ]

    def slots(self) -> list[Slot]:
        days = [m for m in self.minutes if self.is_asked_for(m)]
        found = [(m, clinic, self.on_grid(m, clinic)) for m in days for clinic in "ab"]
        lengths = [(m, clinic, self.minutes_of(rows)) for m, clinic, rows in found if rows]
        return [
            Slot(m, m + length * MINUTE, clinic)
            for m, clinic, length in lengths
            if self.is_allowed(m, length, clinic) and self.is_free(m, length)
        ]

    def is_asked_for(self, minute: datetime) -> bool:
        return self.case.first <= self.shown[minute].date() <= self.case.last

    def minutes_of(self, rows: list[Window]) -> int:
        return self.case.visit.minutes or min(row.step for row in rows)

    def is_allowed(self, start: datetime, length: int, clinic: str) -> bool:
        visit, now = self.case.visit, self.case.now
        inside = [start + n * MINUTE for n in range(length)]
        today = now.astimezone(self.case.zone).date()
        return (
            start >= now
            and start - now >= visit.notice
            and all(m in self.worked[clinic] and m not in self.gone for m in inside)
            and (
                visit.horizon_days is None
                or (self.shown[start].date() - today).days <= visit.horizon_days
            )
        )

    def is_free(self, start: datetime, length: int) -> bool:
        visit = self.case.visit
        around = range(-visit.buffer_before, length + visit.buffer_after)
        return not any(start + n * MINUTE in self.busy for n in around)


def each_minute(begin: datetime, end: datetime) -> Iterable[datetime]:
    return (begin + n * MINUTE for n in range(int((end - begin) / MINUTE)))


def covered(intervals: list[Interval]) -> set[datetime]:
    return {minute for each in intervals for minute in each_minute(each.start, each.end)}


def clock(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)


@st.composite
def windows(draw: st.DrawFn, zone: ZoneInfo, near: date) -> Window:
    opens = draw(st.sampled_from([0, 0, 30, 60, 60, 90, 105, 120, 540, 1380]))
    lasts = draw(st.sampled_from([60, 95, 120, 240, 480, 1440]))
    return Window(
        clinic=draw(st.sampled_from("aaab")),
        zone=zone,
        weekday=(near + draw(st.sampled_from([0, 0, 0, -1, 1])) * DAY).weekday(),
        start=clock(opens),
        end=clock(min(opens + lasts, 1440)),
        step=draw(st.sampled_from([10, 15, 20, 25, 30, 45, 60, 90])),
        valid_from=near + draw(st.sampled_from([-30, -30, -30, 0, 1])) * DAY,
        valid_until=draw(st.sampled_from([None, None, None, near, near + DAY])),
        types=frozenset(draw(st.sampled_from([(), (), ("new",), ("other",)]))),
    )


def stretches(near: date, longest: int) -> st.SearchStrategy[list[Interval]]:
    midnight = datetime.combine(near, time(), UTC)
    one = st.builds(
        lambda start, length: Interval(
            midnight + start * MINUTE, midnight + (start + length) * MINUTE
        ),
        st.integers(-60, 480).map(lambda steps: steps * 5),
        st.sampled_from([1, 15, 30, 50, longest]),
    )
    return st.lists(one, max_size=6)


VISITS = st.builds(
    Visit,
    type=st.just("new"),
    minutes=st.sampled_from([None, None, 10, 15, 30, 37, 60, 100]),
    buffer_before=st.sampled_from([0, 0, 5, 15]),
    buffer_after=st.sampled_from([0, 0, 10, 30]),
    notice=st.sampled_from([0, 0, 0, 30, 1440]).map(lambda minutes: minutes * MINUTE),
    horizon_days=st.sampled_from([None, None, None, 1, 3, 29, 30, 31]),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    name, near = draw(st.sampled_from(PLACES))
    zone = ZoneInfo(name)
    first = near + draw(st.sampled_from([0, 0, -1])) * DAY
    ahead = draw(st.sampled_from([30 * 1440, 30 * 1440, 30 * 1440, 4320, 1440, 0, -600]))
    return Case(
        zone=zone,
        first=first,
        last=first + draw(st.sampled_from([0, 1, 1])) * DAY,
        windows=draw(st.lists(windows(zone, near), min_size=2, max_size=6)),
        visit=draw(VISITS),
        blocked=draw(stretches(near, longest=120)),
        away=draw(stretches(near, longest=480)),
        now=datetime.combine(near, time(), UTC)
        - ahead * MINUTE
        - draw(st.sampled_from([0, 0, 1])) * timedelta(seconds=1),
    )


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_slots_are_those_that_a_walk_over_every_minute_finds(case: Case) -> None:
    assert case.answer() == Oracle(case).slots()


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_a_start_is_allowed_exactly_if_it_would_be_offered_on_an_empty_calendar(
    case: Case, data: st.DataObject
) -> None:
    empty = replace(case, blocked=[])
    offered = {(slot.start, slot.clinic) for slot in empty.answer()}
    assert all(case.is_allowed(start, str(clinic)) for start, clinic in offered)
    oracle = Oracle(case)
    steps = [m for m in oracle.minutes if oracle.is_asked_for(m) and m.minute % 5 == 0]
    assume(steps)
    for minute in data.draw(st.lists(st.sampled_from(steps), max_size=60)):
        assert case.is_allowed(minute, "a") is ((minute, "a") in offered)


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_off_the_grid_every_minute_that_the_rest_of_the_rule_allows_is_allowed(
    case: Case, data: st.DataObject
) -> None:
    oracle = Oracle(case)
    minutes = [m for m in oracle.minutes if oracle.is_asked_for(m)]
    assume(minutes)
    minute = data.draw(st.sampled_from(minutes))
    rows = oracle.on_grid(minute, "a") or oracle.windows_at(minute, "a")
    expected = bool(rows) and oracle.is_allowed(minute, oracle.minutes_of(rows), "a")
    assert case.is_allowed(minute, "a", on_grid=False) is expected
