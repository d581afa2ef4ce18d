"""Rules tried on the same worlds, and what offering to several at once is worth."""

from __future__ import annotations

import pytest

from scheduling.waitlist.pacing import Pace
from scheduling.waitlist.simulation import (
    Summary,
    World,
    both,
    compare,
    invented_world,
    recommend,
    simulate,
)
from tests.scheduling.waitlist.simulation.small import OVERLAPPING, SEQUENTIAL

SEEDS = range(1, 21)


@pytest.fixture(scope="module")
def found() -> dict[Pace, Summary]:
    return compare(invented_world, rules=both(SEQUENTIAL), seeds=SEEDS)


def test_both_are_the_same_rule_but_for_the_pace() -> None:
    assert both(SEQUENTIAL) == {Pace.SEQUENTIAL: SEQUENTIAL, Pace.OVERLAPPING: OVERLAPPING}


def test_each_seed_is_played_once_in_its_own_world_under_each_rule() -> None:
    asked = []

    def small(seed: int) -> World:
        asked.append(seed)
        return invented_world(seed, slots=5, waiting=20)

    compared = compare(small, rules=both(SEQUENTIAL), seeds=iter([7, 3]))

    assert asked == [7, 3]
    for pace, rule in both(SEQUENTIAL).items():
        by_hand = [simulate(small(seed), rule, seed=seed) for seed in (7, 3)]
        assert compared[pace] == Summary(by_hand)


def test_several_at_once_fill_fifteen_points_more_of_what_comes_free_within_a_day(
    found: dict[Pace, Summary],
) -> None:
    runs = zip(found[Pace.SEQUENTIAL].outcomes, found[Pace.OVERLAPPING].outcomes, strict=True)
    gains = [(b.fill_soon or 0) - (a.fill_soon or 0) for a, b in runs]

    assert len(gains) == len(SEEDS)
    assert sum(gains) / len(gains) >= 0.15


def test_few_are_told_that_somebody_was_faster(found: dict[Pace, Summary]) -> None:
    gone = found[Pace.OVERLAPPING].gone

    assert gone is not None
    assert 0 < gone.mean <= gone.high <= 0.75


def test_one_after_the_other_nobody_is_told_that_somebody_was_faster(
    found: dict[Pace, Summary],
) -> None:
    assert all(run.gone == 0 for run in found[Pace.SEQUENTIAL].outcomes)


def test_the_invented_clinic_is_advised_to_offer_to_several_at_once(
    found: dict[Pace, Summary],
) -> None:
    assert recommend(found).pace is Pace.OVERLAPPING
