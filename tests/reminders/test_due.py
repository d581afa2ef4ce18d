from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminders.due import (
    FALLBACK,
    NIGHT,
    Cadence,
    Due,
    before,
    plan,
    release_at,
    spoken_at,
)
from reminders.kinds import Channel, Kind
from scheduling.quiet import Quiet, is_quiet

NEW_YORK = ZoneInfo("America/New_York")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY_SLEEPS = Quiet(time(0), time(0))
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Adak",
        "America/Phoenix",
        "America/Havana",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "UTC",
    )
]
minutes = st.times().map(lambda at: at.replace(second=0, microsecond=0))
quiets = st.builds(Quiet, minutes, minutes)
moments = st.integers(0, 10 * 366 * 24 * 60).map(lambda n: LONG_AGO + timedelta(minutes=n))
hours = st.one_of(st.none(), st.integers(1, 168))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def planned(
    start: datetime,
    *,
    booked_at: datetime = LONG_AGO,
    is_video: bool = False,
    asks: bool = True,
    cadence: Cadence = Cadence(),  # noqa: B008 - frozen
    zone: ZoneInfo = NEW_YORK,
    quiet: Quiet = NIGHT,
) -> list[Due]:
    return plan(
        start=start,
        booked_at=booked_at,
        is_video=is_video,
        asks=asks,
        cadence=cadence,
        zone=zone,
        quiet=quiet,
    )


def walls(dues: list[Due]) -> list[str]:
    return [f"{due.kind} {due.channel} {due.due_at.astimezone(NEW_YORK):%a %H:%M}" for due in dues]


def test_a_video_visit_on_friday_is_spoken_of_from_tuesday_on() -> None:
    assert walls(planned(at("2026-06-12T14:30"), is_video=True)) == [
        "REQUEST EMAIL Tue 14:30",
        "FOLLOW_UP SMS Wed 14:30",
        "REMINDER SMS Thu 14:30",
        "REMINDER EMAIL Thu 14:30",
        "JOIN PUSH Fri 12:30",
    ]


def test_a_visit_that_needs_no_confirmation_is_only_reminded_of() -> None:
    dues = planned(at("2026-06-12T14:30"), asks=False)
    assert {due.kind for due in dues} == {Kind.REMINDER}


def test_a_clinic_can_switch_every_step_off() -> None:
    nothing = Cadence(request=None, follow_up=None, reminder=None, join=None, release=None)
    assert planned(at("2026-06-12T14:30"), is_video=True, cadence=nothing) == []


@pytest.mark.parametrize(
    ("booked", "kinds"),
    [
        ("2026-06-09T13:30", ["REQUEST", "FOLLOW_UP", "REMINDER"]),
        ("2026-06-09T13:31", ["FOLLOW_UP", "REMINDER"]),
        ("2026-06-10T13:31", ["REMINDER"]),
        ("2026-06-11T13:31", []),
        ("2026-06-12T14:00", []),
    ],
)
def test_a_late_booking_gets_what_is_an_hour_ahead_at_least(booked: str, kinds: list[str]) -> None:
    dues = planned(at("2026-06-12T14:30"), booked_at=at(booked))
    assert list(dict.fromkeys(due.kind.value for due in dues)) == kinds


def test_every_message_may_wait_until_the_next_one_or_the_visit_is_near() -> None:
    start = at("2026-06-12T14:30")
    ends = {due.kind: start - due.not_after for due in planned(start, is_video=True)}
    assert ends == {
        Kind.REQUEST: 49 * HOUR,
        Kind.FOLLOW_UP: 25 * HOUR,
        Kind.REMINDER: 2 * HOUR,
        Kind.JOIN: timedelta(minutes=-10),
    }


def test_a_clinic_may_ask_on_the_day_itself_where_silence_frees_nothing() -> None:
    late = Cadence(request=6 * HOUR, follow_up=None, reminder=None, release=None)
    (due,) = planned(at("2026-06-12T16:30"), cadence=late)
    assert (due.due_at, due.not_after) == (at("2026-06-12T10:30"), at("2026-06-12T15:30"))


def test_what_is_due_at_night_goes_in_the_morning_if_an_hour_is_left() -> None:
    start = at("2026-06-12T09:00")
    assert spoken_at(start - 2 * HOUR, start=start, zone=NEW_YORK, quiet=NIGHT) == (start - HOUR)


def test_else_it_goes_half_an_hour_before_the_evening_is_quiet() -> None:
    start = at("2026-06-12T08:59")
    assert spoken_at(start - 2 * HOUR, start=start, zone=NEW_YORK, quiet=NIGHT) == (
        at("2026-06-11T20:30")
    )


def test_what_is_due_in_the_evening_waits_for_the_morning_too() -> None:
    start = at("2026-06-13T22:15")
    dues = planned(start, asks=False)
    assert {due.due_at for due in dues} == {at("2026-06-13T08:00")}


@pytest.mark.parametrize(
    ("wall", "expected"),
    [("20:59", False), ("21:00", True), ("23:59", True), ("07:59", True), ("08:00", False)],
)
def test_the_night_is_quiet_from_nine_to_eight(wall: str, expected: bool) -> None:
    assert is_quiet(at(f"2026-06-12T{wall}"), zone=NEW_YORK, quiet=NIGHT) is expected


def test_hours_of_a_day_can_be_quiet_as_well() -> None:
    siesta = Quiet(time(13), time(15))
    assert is_quiet(at("2026-06-12T14:00"), zone=NEW_YORK, quiet=siesta)
    assert not is_quiet(at("2026-06-12T23:00"), zone=NEW_YORK, quiet=siesta)


def test_the_same_hour_twice_means_no_quiet_hours() -> None:
    assert not is_quiet(at("2026-06-12T03:00"), zone=NEW_YORK, quiet=NOBODY_SLEEPS)


@pytest.mark.parametrize(
    ("start", "reminded"),
    [
        ("2026-03-08T09:00", "2026-03-07T09:00"),  # the clocks went forward: 23 hours
        ("2026-11-01T09:00", "2026-10-31T09:00"),  # and back: 25
    ],
)
def test_a_day_before_is_the_same_time_of_day_when_the_clocks_change(
    start: str, reminded: str
) -> None:
    assert before(at(start), DAY, NEW_YORK) == at(reminded)


def test_hours_that_are_no_days_are_counted_as_they_pass() -> None:
    start = at("2026-03-08T04:00")
    assert before(start, 2 * HOUR, NEW_YORK) == at("2026-03-08T01:00")


def test_a_time_is_freed_by_day_and_never_before_it_was_asked_for() -> None:
    start = at("2026-06-12T07:30")
    free_at = release_at(start=start, cadence=Cadence(), zone=NEW_YORK, quiet=NIGHT)
    assert free_at == at("2026-06-11T08:00")
    assert (
        release_at(start=start, cadence=Cadence(release=None), zone=NEW_YORK, quiet=NIGHT) is None
    )
    asked = [due for due in planned(start) if due.kind in {Kind.REQUEST, Kind.FOLLOW_UP}]
    assert all(due.not_after < free_at for due in asked)


def test_every_kind_says_what_is_tried_when_its_way_is_missing() -> None:
    assert FALLBACK.keys() == {*Kind}
    assert FALLBACK[Kind.JOIN] == (Channel.SMS, Channel.EMAIL)


@given(
    start=moments,
    zone=st.sampled_from(ZONES),
    quiet=quiets,
    ahead=st.integers(0, 10 * 24 * 60),
    steps=st.tuples(hours, hours, hours, hours, hours),
)
@example(
    start=datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
    zone=NEW_YORK,
    quiet=Quiet(time(1, 15), time(1, 30)),
    ahead=10_000,
    steps=(72, 48, 24, 2, 24),
)
@example(
    start=datetime(2026, 6, 12, 16, tzinfo=UTC),
    zone=NEW_YORK,
    quiet=Quiet(time(12), time(11, 59)),
    ahead=10_000,
    steps=(72, 48, 24, 2, 24),
)
def test_nothing_is_due_in_quiet_hours_too_late_or_right_after_the_booking(
    start: datetime,
    zone: ZoneInfo,
    quiet: Quiet,
    ahead: int,
    steps: tuple[int | None, ...],
) -> None:
    spans = [None if step is None else step * HOUR for step in steps]
    names = ("request", "follow_up", "reminder", "join", "release")
    booked_at = start - timedelta(minutes=ahead)
    dues = planned(
        start,
        booked_at=booked_at,
        is_video=True,
        cadence=Cadence(**dict(zip(names, spans, strict=True))),
        zone=zone,
        quiet=quiet,
    )
    for due in dues:
        assert not is_quiet(due.due_at, zone=zone, quiet=quiet)
        assert booked_at + HOUR <= due.due_at <= due.not_after
        assert due.due_at < start
        assert due.due_at.tzinfo is UTC
    assert len({(due.kind, due.channel) for due in dues}) == len(dues)


@given(due=moments, zone=st.sampled_from(ZONES), quiet=quiets, left=st.integers(0, 3 * 24 * 60))
def test_what_has_to_wait_goes_as_soon_as_it_may_or_before(
    due: datetime, zone: ZoneInfo, quiet: Quiet, left: int
) -> None:
    start = due + timedelta(minutes=left)
    spoken = spoken_at(due, start=start, zone=zone, quiet=quiet)
    assert not is_quiet(spoken, zone=zone, quiet=quiet)
    if not is_quiet(due, zone=zone, quiet=quiet):
        assert spoken == due
        return
    assert spoken < due or spoken <= start - HOUR
    if spoken > due:  # nothing but quiet lies in between
        minute = timedelta(minutes=1)
        waited = int((spoken - due) / minute)
        assert all(is_quiet(due + n * minute, zone=zone, quiet=quiet) for n in range(waited))
