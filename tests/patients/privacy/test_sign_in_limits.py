"""When a sign-in ends, by arithmetic alone."""

from __future__ import annotations

import pytest

from patients.privacy.sign_in.limits import Ending, Times

IDLE, ABSOLUTE = 900, 43_200


def times(*, since: int | None = 0, seen: int | None = 0) -> Times:
    return Times(since, seen, IDLE, ABSOLUTE)


@pytest.mark.parametrize(
    ("since", "seen", "now", "ending"),
    [
        (0, 0, 0, None),
        (0, 0, IDLE - 1, None),
        (0, 0, IDLE, Ending.IDLE),
        (0, ABSOLUTE - 10, ABSOLUTE - 1, None),
        (0, ABSOLUTE - 10, ABSOLUTE, Ending.ABSOLUTE),
        (0, 0, ABSOLUTE, Ending.ABSOLUTE),
        (None, 0, 1, Ending.UNKNOWN),
        (0, None, 1, Ending.UNKNOWN),
        (0, 10_000, 1, Ending.UNKNOWN),
    ],
)
def test_a_sign_in_ends_by_the_first_of_its_limits(
    since: int | None, seen: int | None, now: int, ending: Ending | None
) -> None:
    assert times(since=since, seen=seen).ending(now) is ending


def test_what_is_left_is_what_the_nearer_limit_leaves() -> None:
    assert times().seconds_left(100) == IDLE - 100
    assert times(seen=ABSOLUTE - 60).seconds_left(ABSOLUTE - 50) == 50
    assert times().seconds_left(IDLE + 1) == 0
    assert times(seen=None).seconds_left(0) == 0


def test_staying_helps_until_the_absolute_limit_is_the_nearer_one() -> None:
    assert times().can_stay(100)
    assert not times().can_stay(IDLE)
    assert not times(seen=ABSOLUTE - 60).can_stay(ABSOLUTE - 50)
    assert not times(seen=None).can_stay(0)


def test_a_sign_of_life_is_written_once_a_minute() -> None:
    assert not times().is_due(59)
    assert times().is_due(60)
    assert times(seen=None).is_due(0)
