"""Which way of offering a clinic is advised to choose."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduling.waitlist.pacing import Pace
from scheduling.waitlist.simulation import Fate, Outcome, Summary, Why, recommend


def runs(filled: list[int], *, of: int = 20, gone: int = 0) -> Summary:
    """Return one run for each number of filled slots; of each slot so many heard it is gone."""

    def fate(number: int, count: int) -> Fate:
        return Fate(
            slot=str(number),
            lead=timedelta(hours=12),
            offers=1,
            is_filled=number < count,
            gone=gone,
            too_late=0,
        )

    return Summary([Outcome([fate(n, count) for n in range(of)]) for count in filled])


def advised(one: Summary, many: Summary) -> tuple[Pace, Why, str]:
    found = recommend({Pace.SEQUENTIAL: one, Pace.OVERLAPPING: many})
    return found.pace, found.why, found.sentence


def test_several_at_once_where_they_clearly_fill_more() -> None:
    pace, why, sentence = advised(runs([8, 9, 10, 9]), runs([12, 13, 15, 13]))

    assert (pace, why) == (Pace.OVERLAPPING, Why.FILLS_MORE)
    assert sentence == (
        "Offer to several at once: it fills 21 more of 100 freed times (17 to 25),"
        " and 0.00 patients for each say yes and are told that it is gone."
    )


def test_one_after_the_other_where_too_many_would_be_told_that_it_is_gone() -> None:
    pace, why, sentence = advised(runs([8, 9, 10]), runs([12, 13, 15], gone=1))

    assert (pace, why) == (Pace.SEQUENTIAL, Why.TOO_MANY_GONE)
    assert "1.00 patients for each" in sentence


@pytest.mark.parametrize("many", [[8, 9, 10], [12, 8, 9], [7, 8, 9]])
def test_one_after_the_other_where_the_difference_may_be_chance(many: list[int]) -> None:
    pace, why, _sentence = advised(runs([8, 9, 10]), runs(many))

    assert (pace, why) == (Pace.SEQUENTIAL, Why.NO_GAIN)


def test_differences_are_taken_run_by_run() -> None:
    pace, _why, _sentence = advised(runs([2, 9, 16]), runs([4, 11, 19]))

    assert pace is Pace.OVERLAPPING


@pytest.mark.parametrize("slots", [0, 10])
def test_of_too_little_nothing_is_said(slots: int) -> None:
    pace, why, _sentence = advised(runs([0, 0, 0], of=slots), runs([9, 9, 9], of=slots))

    assert (pace, why) == (Pace.SEQUENTIAL, Why.TOO_LITTLE)


def test_without_one_of_the_two_there_is_no_advice() -> None:
    with pytest.raises(KeyError):
        recommend({Pace.SEQUENTIAL: runs([1, 2])})
