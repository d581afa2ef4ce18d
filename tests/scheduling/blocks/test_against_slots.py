"""What the bits of many providers say is what `free_slots` says of each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.blocks import timeline
from scheduling.blocks.masks import Asked
from scheduling.blocks.reading import Need, Openings, openings
from scheduling.blocks.records import Held, build, finer
from scheduling.intervals import Interval
from scheduling.slots import Visit, Window, free_slots

ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Los_Angeles",
        "America/Phoenix",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Cairo",
    )
]
CLINICS = [UUID(int=1), UUID(int=2)]
TYPES = [UUID(int=11), UUID(int=12)]
# Weeks in which clocks change somewhere, and one in which none do.
WEEKS = [
    date(2026, 3, 9),
    date(2026, 4, 6),
    date(2026, 6, 8),
    date(2026, 10, 26),
    date(2026, 11, 2),
]
MINUTE = timedelta(minutes=1)
CLOCK = datetime(2026, 1, 1, tzinfo=UTC)


@st.composite
def weeks(draw: st.DrawFn) -> dict[str, Any]:
    zones = [draw(st.sampled_from(ZONES)) for _clinic in CLINICS]
    week = draw(st.sampled_from(WEEKS))
    return {
        "week": week,
        "zones": zones,
        "providers": draw(st.lists(providers(zones, week), min_size=1, max_size=5)),
        "visit": draw(visits()),
    }


def visits() -> st.SearchStrategy[Visit]:
    return st.builds(
        Visit,
        type=st.sampled_from(TYPES),
        minutes=st.sampled_from([None, 5, 15, 20, 45, 50, 60, 480]),
        buffer_before=st.sampled_from([0, 0, 5, 15, 120]),
        buffer_after=st.sampled_from([0, 0, 10, 30, 120]),
        notice=st.sampled_from([timedelta(0), timedelta(hours=30)]),
        horizon_days=st.sampled_from([None, 3]),
    )


@st.composite
def providers(draw: st.DrawFn, zones: list[ZoneInfo], week: date) -> dict[str, Any]:
    midnight = datetime.combine(week, time.min, UTC)

    def spans(most: int) -> list[Interval]:
        minutes = st.integers(-3 * 1440, 10 * 1440)
        seconds = st.sampled_from([0, 0, 0, 17])
        lengths = st.sampled_from([1, 10, 15, 30, 45, 600, 2880])
        pairs = draw(st.lists(st.tuples(minutes, seconds, lengths), max_size=most))
        starts = [(midnight + m * MINUTE + timedelta(seconds=s), n) for m, s, n in pairs]
        return [Interval(start, start + length * MINUTE) for start, length in starts]

    return {
        "windows": draw(st.lists(windows(zones, week), max_size=6)),
        "taken": spans(8),
        "away": spans(2),
        "closed": [spans(1) for _clinic in CLINICS],
        "holds": [(span, draw(st.booleans())) for span in spans(2)],
    }


@st.composite
def windows(draw: st.DrawFn, zones: list[ZoneInfo], week: date) -> Window:
    number = draw(st.integers(0, 1))
    step = draw(st.sampled_from([5, 10, 15, 20, 30, 30, 60, 7]))
    start = draw(st.integers(0, 95)) * 15 + draw(st.sampled_from([0, 0, 0, 5, 3]))
    length = draw(st.sampled_from([15, 45, 120, 480, 600]))
    end = min(start + length, 1440)
    return Window(
        clinic=CLINICS[number],
        zone=zones[number],
        weekday=draw(st.integers(0, 6)),
        start=time(start // 60, start % 60),
        end=time(end // 60 % 24, end % 60),
        step=step,
        valid_from=week - timedelta(days=draw(st.integers(-3, 20))),
        valid_until=draw(st.sampled_from([None, None, week + timedelta(days=3)])),
        types=frozenset(draw(st.sampled_from([[], [], [], TYPES[:1], TYPES[1:], TYPES]))),
    )


def minutes(span: Interval) -> tuple[int, int]:
    return timeline.minute_of(span.start), -((timeline.EPOCH - span.end) // MINUTE)


def expected(week: dict[str, Any], now: datetime, asked: Asked, block: int) -> set[tuple[Any, ...]]:
    found = set()
    for number, one in enumerate(week["providers"]):
        kept = [span for span, is_live in one["holds"] if is_live]
        for clinic, zone, closed in zip(CLINICS, week["zones"], one["closed"], strict=True):
            for slot in free_slots(
                windows=[w for w in one["windows"] if w.clinic == clinic],
                visit=week["visit"],
                first_day=asked.first,
                last_day=asked.last,
                blocked=one["taken"] + kept,
                away=one["away"] + closed,
                now=now,
            ):
                local = slot.start.astimezone(zone)
                clock = local.time()
                if (
                    timeline.block_of(slot.start) == block
                    and (not asked.weekdays or local.weekday() in asked.weekdays)
                    and (asked.not_before is None or clock >= asked.not_before)
                    and (asked.not_after is None or clock <= asked.not_after)
                ):
                    length = int((slot.end - slot.start) / MINUTE)
                    found.add((slot.start, number, clinic, length))
    return found


def read(week: dict[str, Any], asked: Asked, block: int) -> Openings:
    visit = week["visit"]
    need = Need(visit.type, visit.minutes, visit.buffer_before, visit.buffer_after)

    def record(one: dict[str, Any], grid: int) -> bytes:
        return build(
            block=block,
            grid=grid,
            windows=one["windows"],
            taken=map(minutes, one["taken"]),
            away=map(minutes, one["away"]),
            closures={
                c: list(map(minutes, s)) for c, s in zip(CLINICS, one["closed"], strict=True)
            },
            holds=[
                Held(UUID(int=n), *minutes(span), CLOCK + (1 if is_live else -1) * MINUTE)
                for n, (span, is_live) in enumerate(one["holds"])
            ],
        )

    records = [record(one, need.grid) for one in week["providers"]]
    for number, one in enumerate(week["providers"]):
        if grid := finer(records[number], need.grid):
            records[number] = record(one, grid)
    zones = dict(zip(CLINICS, week["zones"], strict=True))
    return openings(
        records,
        need,
        block=block,
        mask=lambda clinic, grid: asked.mask(zones[clinic], block, grid),
        clock=CLOCK,
    )


@settings(max_examples=150, deadline=None)
@given(
    week=weeks(),
    hours=st.sampled_from(
        [(None, None), (time(9), None), (None, time(11, 59)), (time(10, 7), time(13))]
    ),
    weekdays=st.sampled_from([frozenset[int](), frozenset({0, 3})]),
    into=st.integers(-3000, 9000),
)
def test_bits_agree_with_the_definition(
    week: dict[str, Any],
    hours: tuple[time | None, time | None],
    weekdays: frozenset[int],
    into: int,
) -> None:
    block = timeline.block_of(datetime.combine(week["week"], time.min, UTC))
    now = timeline.begins(block) + into * MINUTE
    visit = week["visit"]
    first, last = week["week"] - timedelta(days=2), week["week"] + timedelta(days=8)
    asked = Asked(first, last, now + visit.notice, weekdays, *hours)
    wanted = set()
    # The horizon counts from the local day, which differs between zones.
    for clinic, zone in zip(CLINICS, week["zones"], strict=True):
        until = now.astimezone(zone).date() + timedelta(days=visit.horizon_days or 99)
        here = Asked(first, min(last, until), asked.earliest, weekdays, *hours)
        wanted |= {row for row in expected(week, now, here, block) if row[2] == clinic}
        found = read(week, here, block)
        got = {
            (start, opening.provider, opening.clinic, opening.minutes)
            for start in found.starts(clinic)
            for opening in found.at(start)
            if opening.clinic == clinic
        }
        assert got == {row for row in wanted if row[2] == clinic}
