"""The order in which freed time is offered, and why somebody is offered it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.waitlist.ranking import RULE, Waiting, part_of_day, rank, reasons

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 6, 9, 16, tzinfo=UTC)
DAY = timedelta(days=1)
# Monday, June 15, 9 in the morning.
START = datetime(2026, 6, 15, 13, tzinfo=UTC)

everybody = st.lists(
    st.builds(
        Waiting,
        entry=st.integers(0, 10_000),
        is_urgent=st.booleans(),
        is_existing=st.booleans(),
        since=st.integers(0, 5).map(lambda days: NOW - days * DAY),
    ),
    unique_by=lambda each: each.entry,
)


def waiting(
    entry: str, *, days: int = 1, is_urgent: bool = False, is_existing: bool = False
) -> Waiting:
    return Waiting(
        entry=entry, is_urgent=is_urgent, is_existing=is_existing, since=NOW - days * DAY
    )


def test_urgent_goes_before_existing_before_first_come() -> None:
    new = waiting("new, first of all", days=40)
    old = waiting("existing, late", days=1, is_existing=True)
    older = waiting("existing, early", days=20, is_existing=True)
    urgent = waiting("urgent and new, today", days=0, is_urgent=True)

    assert rank([new, old, older, urgent]) == [urgent, older, old, new]


@given(everybody, st.integers())
def test_the_order_is_the_same_however_they_come_in(all_: list[Waiting], seed: int) -> None:
    shuffled = Random(seed).sample(all_, len(all_))

    ranked = rank(all_)

    assert rank(shuffled) == ranked
    assert sorted(ranked, key=str) == sorted(all_, key=str)


@given(everybody)
def test_nobody_stands_before_who_goes_first_by_the_rule(all_: list[Waiting]) -> None:
    for first, second in pairwise(rank(all_)):
        assert first.is_urgent >= second.is_urgent
        if first.is_urgent == second.is_urgent:
            assert first.is_existing >= second.is_existing
            if first.is_existing == second.is_existing:
                assert first.since <= second.since


def test_anything_can_be_ranked_by_what_is_known_of_it() -> None:
    known = {"ana": waiting("ana", days=1), "ben": waiting("ben", days=2)}

    assert rank(["ana", "ben"], key=lambda name: known[name]) == ["ben", "ana"]


def test_each_question_of_the_order_has_a_name_and_words() -> None:
    assert [each.name for each in RULE] == ["urgency", "existing", "since", "entry"]
    assert all(each.words for each in RULE)


def test_reasons_say_what_made_them_fit() -> None:
    found = reasons(
        waiting("ana", days=23, is_urgent=True, is_existing=True),
        start=START,
        zone=NEW_YORK,
        weekdays=[0, 2],
        before=time(12),
        sooner_than=START + 14 * DAY,
        is_same_type=True,
        is_their_provider=True,
        shares_language=True,
        now=NOW,
    )

    assert found == [
        ["URGENT"],
        ["EXISTING"],
        ["WAITS", 23],
        ["SAME_TYPE"],
        ["PROVIDER"],
        ["MORNINGS"],
        ["WEEKDAY", 0],
        ["LANGUAGE"],
        ["SOONER", 14],
    ]


def test_who_would_take_anything_has_waited_and_no_more() -> None:
    every_day = reasons(
        waiting("ana", days=0), start=START, zone=NEW_YORK, weekdays=range(7), now=NOW
    )

    assert every_day == [["WAITS", 0]]


def test_days_are_those_of_the_clinic() -> None:
    late_on_sunday = datetime(2026, 6, 15, 1, tzinfo=UTC)

    found = reasons(
        waiting("ana"),
        start=late_on_sunday,
        zone=NEW_YORK,
        weekdays=[6],
        sooner_than=datetime(2026, 6, 16, 13, tzinfo=UTC),
        now=NOW,
    )

    assert ["WEEKDAY", 6] in found
    assert ["SOONER", 2] in found


@pytest.mark.parametrize(
    ("after", "before", "codes"),
    [
        (None, None, []),
        (None, time(12), ["MORNINGS"]),
        (time(9), time(11), ["MORNINGS"]),
        (time(12), None, ["AFTERNOONS"]),
        (time(13), time(16), ["AFTERNOONS"]),
        (time(17), None, ["EVENINGS"]),
        (time(9), None, ["HOURS"]),
        (None, time(16), ["HOURS"]),
    ],
)
def test_hours_have_the_name_of_their_part_of_the_day(
    after: time | None, before: time | None, codes: list[str]
) -> None:
    assert part_of_day(after, before) == codes
