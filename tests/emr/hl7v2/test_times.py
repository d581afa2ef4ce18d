"""Instants and days as other systems write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.failures import Refused
from emr.hl7v2.times import read_day, read_duration, read_instant, written
from tests.emr.hl7v2.visits import NEW_YORK

NINE = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)


@given(seconds=st.integers(0, 4_000_000_000))
def test_an_instant_that_is_written_is_read(seconds: int) -> None:
    whole = datetime.fromtimestamp(seconds, UTC)
    assert read_instant(written(whole, NEW_YORK), NEW_YORK) == whole


@pytest.mark.parametrize(
    "text",
    ["202611240900", "20261124090000", "2026112409", "20261124090000.1234", "20261124150000+0100",
     "202611240900-0500"],
)  # fmt: skip
def test_an_instant_is_read_with_or_without_its_offset(text: str) -> None:
    assert read_instant(text, NEW_YORK) == NINE


def test_of_a_time_that_the_clock_shows_twice_the_first_is_meant() -> None:
    assert read_instant("202611010130", NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["20261124", "2026", "20261324090000", "202611240960", "noon", "20261124090000+9999"]
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="time"):
        read_instant(text, NEW_YORK)


def test_a_time_that_the_clock_leaves_out_is_refused() -> None:
    with pytest.raises(Refused, match="no-such-time"):
        read_instant("202603080230", NEW_YORK)


def test_nothing_said_is_no_instant() -> None:
    assert read_instant("", NEW_YORK) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [("19800229", "1980-02-29"), ("198002291200", "1980-02-29"), ("1980", "1980"),
     ("198002", "1980"), ("19800231", ""), ("unknown", ""), ("", "")],
)  # fmt: skip
def test_a_day_is_read_as_far_as_it_is_said(text: str, day: str) -> None:
    assert read_day(text) == day


@pytest.mark.parametrize(
    ("number", "unit", "minutes"),
    [("30", "MIN", 30), ("30", "", 30), ("M45", "", 45), ("1", "HR", 60), ("1800", "S", 30),
     ("30", "min.", 30), ("H1", "", 60)],
)  # fmt: skip
def test_a_length_is_read(number: str, unit: str, minutes: int) -> None:
    assert read_duration(number, unit) == timedelta(minutes=minutes)


@pytest.mark.parametrize(("number", "unit"), [("", ""), ("0", "MIN"), ("x", ""), ("3", "WEEKS")])
def test_what_is_no_length_is_none(number: str, unit: str) -> None:
    assert read_duration(number, unit) is None
