"""What somebody who waits would take, by the clinic's clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduling.waitlist.wanting import Wants, takes

NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


NOW = new_york("2026-06-09T12:00")
# A Wednesday.
START = new_york("2026-06-10T09:30")
ANYTHING = Wants(
    earliest=date(2026, 6, 1),
    latest=None,
    weekdays=frozenset(),
    after=None,
    before=None,
    notice=timedelta(0),
    sooner_than=None,
)


def would_take(start: datetime = START, *, minutes: int = 30, **wanted: Any) -> bool:
    wants = replace(ANYTHING, **wanted)
    return takes(wants, start=start, end=start + minutes * MINUTE, zone=NEW_YORK, now=NOW)


def test_who_wants_anything_takes_anything_to_come() -> None:
    assert would_take()
    assert would_take(NOW + MINUTE)


def test_what_has_begun_nobody_takes() -> None:
    assert not would_take(NOW)
    assert not would_take(NOW - HOUR)


@pytest.mark.parametrize(
    ("wanted", "is_taken"),
    [
        ({"earliest": date(2026, 6, 10)}, True),
        ({"earliest": date(2026, 6, 11)}, False),
        ({"latest": date(2026, 6, 10)}, True),
        ({"latest": date(2026, 6, 9)}, False),
        ({"weekdays": frozenset({2})}, True),
        ({"weekdays": frozenset({0, 1, 3})}, False),
        ({"after": time(9, 30)}, True),
        ({"after": time(9, 31)}, False),
        ({"before": time(10)}, True),
        ({"before": time(9, 59)}, False),
        ({"after": time(9), "before": time(12)}, True),
        ({"notice": START - NOW}, True),
        ({"notice": START - NOW + MINUTE}, False),
        ({"sooner_than": START + DAY}, True),
        ({"sooner_than": START}, False),
        ({"sooner_than": START - DAY}, False),
    ],
)
def test_every_wish_is_kept_to_the_minute(wanted: dict[str, Any], is_taken: bool) -> None:
    assert would_take(**wanted) is is_taken


def test_days_and_hours_are_those_the_clinic_s_clocks_show() -> None:
    late = new_york("2026-06-10T20:00")  # the eleventh, in UTC

    assert would_take(late, latest=date(2026, 6, 10), weekdays=frozenset({2}), after=time(20))


def test_a_visit_over_midnight_ends_too_late_for_any_hour() -> None:
    late = new_york("2026-06-10T23:45")

    assert would_take(late)
    assert not would_take(late, before=time(23, 59))
    assert not would_take(late, before=time(0, 30))


def test_on_the_day_the_clocks_are_set_hours_are_still_those_on_the_wall() -> None:
    after_the_jump = new_york("2026-11-01T09:00")

    wants = replace(ANYTHING, after=time(9), before=time(9, 30))
    assert takes(
        wants,
        start=after_the_jump,
        end=after_the_jump + 30 * MINUTE,
        zone=NEW_YORK,
        now=new_york("2026-10-31T12:00"),
    )
