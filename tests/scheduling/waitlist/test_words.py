"""Reasons, the order and wishes as people read them."""

from __future__ import annotations

from datetime import date, time

import pytest

from scheduling.models import WaitlistEntry
from scheduling.waitlist.ranking import RULE
from scheduling.waitlist.words import entry_in_words, in_words, order_in_words


def entry(**wanted: object) -> WaitlistEntry:
    return WaitlistEntry(earliest_desired_date=date(2026, 6, 3), **wanted)


def test_reasons_are_short_phrases() -> None:
    codes: list[list[str | int]] = [
        ["URGENT"],
        ["EXISTING"],
        ["WAITS", 23],
        ["SAME_TYPE"],
        ["PROVIDER"],
    ]
    codes += [["MORNINGS"], ["WEEKDAY", 0], ["LANGUAGE"], ["SOONER", 14]]

    assert in_words(codes) == [
        "urgent",
        "existing patient",
        "waits 23 days",
        "same type",
        "asked for this provider",
        "mornings",
        "a Monday",
        "same language",
        "14 days sooner",
    ]


def test_one_day_is_a_day() -> None:
    assert in_words([["WAITS", 1], ["SOONER", 1]]) == ["waits 1 day", "1 day sooner"]
    assert in_words([["WAITS", 0], ["SOONER", 0]]) == [
        "waits since today",
        "sooner on the same day",
    ]


def test_a_code_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(KeyError):
        in_words([["MOOD"]])


def test_the_order_is_told_in_the_words_of_the_rule() -> None:
    assert order_in_words() == [each.words for each in RULE if each.name != "entry"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Any day, any time, from June 3"),
        (
            {"weekdays": [1, 0], "before_time": time(12)},
            "Mondays and Tuesdays, mornings, from June 3",
        ),
        (
            {"weekdays": [0, 2, 4], "after_time": time(12), "before_time": time(17)},
            "Mondays, Wednesdays and Fridays, afternoons, from June 3",
        ),
        ({"weekdays": list(range(7)), "after_time": time(17)}, "Any day, evenings, from June 3"),
        (
            {"after_time": time(9), "before_time": time(11, 30)},
            "Any day, 9:00\N{NO-BREAK SPACE}am to 11:30\N{NO-BREAK SPACE}am, from June 3",
        ),
        ({"after_time": time(10)}, "Any day, from 10:00\N{NO-BREAK SPACE}am, from June 3"),
        (
            {"before_time": time(16), "latest_date": date(2026, 6, 30)},
            "Any day, until 4:00\N{NO-BREAK SPACE}pm, from June 3 to June 30",
        ),
    ],
)
def test_a_wish_is_one_line(wanted: dict[str, object], words: str) -> None:
    assert entry_in_words(entry(**wanted)) == words
