"""Values of the wrong kind are empty; text that no row could hold is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from emr.fhir.errors import Refused
from emr.fhir.tolerant import day, flag, instant, items, part, text, texts

ODD: list[Any] = [None, True, [], {}, [1], {"a": 1}]


@pytest.mark.parametrize("value", ODD)
def test_what_is_no_text_is_empty(value: Any) -> None:
    assert text(value) == ""


def test_text_is_trimmed_and_otherwise_kept_as_written() -> None:
    assert text("  Agustín 42 ") == "Agustín 42"
    assert text(2720) == "2720"


@pytest.mark.parametrize(
    ("value", "code"),
    [("a\0b", "unstorable-text"), ("a\ud800", "unstorable-text"), ("x" * 1_000_000, "too-long")],
)
def test_text_that_cannot_be_kept_is_refused_without_repeating_it(value: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        text(value)
    assert refusal.value.code == code
    assert value not in refusal.value.reason


def test_one_value_stands_for_a_list_of_one() -> None:
    assert texts("one") == ("one",)
    assert texts(["one", None, "", "two"]) == ("one", "two")
    assert list(items({"a": 1})) == [{"a": 1}]
    assert list(items([{"a": 1}, "x", None])) == [{"a": 1}]
    assert part("x") == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("false", False), ("TRUE", True), ("yes", None), (1, None), (None, None)],
)
def test_a_flag_is_read_as_a_boolean_or_its_word(value: Any, expected: bool | None) -> None:
    assert flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1994-02-01", date(1994, 2, 1)),
        ("1994-02-01T10:00:00Z", date(1994, 2, 1)),
        ("1994-02", None),
        ("1994", None),
        ("1994-02-30", None),
        (None, None),
    ],
)
def test_only_a_whole_date_is_a_day(value: Any, expected: date | None) -> None:
    assert day(value) == expected


def test_a_moment_needs_an_offset() -> None:
    assert instant("2026-01-02T03:04:05.678Z") == datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert instant("2026-01-02T03:04:05") is None
    assert instant("soon") is None
