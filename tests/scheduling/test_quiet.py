"""Quiet hours against a clock that is read minute by minute, in zones that set theirs oddly."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scheduling.quiet import Quiet, is_quiet, quiet_begins, quiet_ends

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = Quiet(time(21), time(8))
NONE = Quiet(time(12), time(12))
MINUTE = timedelta(minutes=1)
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York",
        "America/Adak",
        "America/Havana",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "UTC",
    )
]
walls = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))
quiets = st.builds(Quiet, walls, walls)
# Days around those on which some of the zones set their clocks.
days = st.sampled_from(["2026-03-07", "2026-10-31", "2026-04-04", "2026-10-03", "2026-04-23"])
moments = st.builds(
    lambda day, minutes: datetime.fromisoformat(day).replace(tzinfo=UTC) + minutes * MINUTE,
    days,
    st.integers(0, 2 * 24 * 60),
)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("at", "quiet", "is_so"),
    [
        ("2026-06-09T20:59", NIGHT, False),
        ("2026-06-09T21:00", NIGHT, True),
        ("2026-06-10T07:59", NIGHT, True),
        ("2026-06-10T08:00", NIGHT, False),
        ("2026-06-10T12:30", Quiet(time(12), time(13)), True),
        ("2026-06-10T13:00", Quiet(time(12), time(13)), False),
        ("2026-06-10T12:00", NONE, False),
    ],
)
def test_quiet_hours_begin_on_the_minute_and_end_before_it(
    at: str, quiet: Quiet, is_so: bool
) -> None:
    assert is_quiet(new_york(at), zone=NEW_YORK, quiet=quiet) is is_so


def test_they_end_in_the_morning_and_begin_in_the_evening() -> None:
    night, noon = new_york("2026-06-09T23:10"), new_york("2026-06-10T12:00")

    assert quiet_ends(night, zone=NEW_YORK, quiet=NIGHT) == new_york("2026-06-10T08:00")
    assert quiet_begins(noon, zone=NEW_YORK, quiet=NIGHT) == new_york("2026-06-10T21:00")
    assert quiet_ends(noon, zone=NEW_YORK, quiet=NIGHT) == noon
    assert quiet_begins(night, zone=NEW_YORK, quiet=NIGHT) == night


def test_without_quiet_hours_none_begin() -> None:
    assert quiet_begins(new_york("2026-06-10T12:00"), zone=NEW_YORK, quiet=NONE) is None


def test_clocks_that_jump_over_their_end_end_them() -> None:
    at = new_york("2026-03-08T01:45").astimezone(UTC)

    ends = quiet_ends(at, zone=NEW_YORK, quiet=Quiet(time(1), time(2, 30)))

    assert ends == at + 15 * MINUTE
    assert ends.astimezone(NEW_YORK).time() == time(3)


def test_clocks_that_are_set_back_before_their_start_interrupt_them() -> None:
    at = new_york("2026-11-01T01:45").astimezone(UTC)

    ends = quiet_ends(at, zone=NEW_YORK, quiet=Quiet(time(1, 30), time(8)))

    assert ends == at + 15 * MINUTE
    assert ends.astimezone(NEW_YORK).replace(tzinfo=None) == datetime(2026, 11, 1, 1)  # noqa: DTZ001


@given(at=moments, zone=st.sampled_from(ZONES), quiet=quiets)
@example(
    at=datetime(2026, 3, 8, 6, 45, tzinfo=UTC), zone=NEW_YORK, quiet=Quiet(time(2), time(2, 30))
)
def test_the_next_change_is_the_first_that_a_watched_clock_shows(
    at: datetime, zone: ZoneInfo, quiet: Quiet
) -> None:
    now = is_quiet(at, zone=zone, quiet=quiet)
    minutes = (at + n * MINUTE for n in range(4 * 24 * 60))
    turn = next((m for m in minutes if is_quiet(m, zone=zone, quiet=quiet) is not now), None)

    ends = quiet_ends(at, zone=zone, quiet=quiet)
    begins = quiet_begins(at, zone=zone, quiet=quiet)

    assert ends == (turn if now else at)
    assert begins == (at if now else turn)
