"""What comes of small worlds, where it can be worked out by hand, and whose rules are played."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from scheduling.waitlist import pacing, ranking, wanting
from scheduling.waitlist.ranking import Waiting
from scheduling.waitlist.simulation import Fate, World, invented_world, simulate
from tests.scheduling.waitlist.simulation.small import (
    DAY,
    FREED,
    HOUR,
    MINUTE,
    OVERLAPPING,
    SEQUENTIAL,
    answers,
    new_york,
    people,
    person,
    slot,
    who_sees,
    world,
)

YES, NOBODY = answers(1), answers(0)


def only(tried: World, rule: pacing.Rule = SEQUENTIAL) -> Fate:
    (fate,) = simulate(tried, rule, seed=1).fates
    return fate


@pytest.mark.parametrize("rule", [SEQUENTIAL, OVERLAPPING])
def test_the_same_seed_comes_to_the_same_and_another_does_not(rule: pacing.Rule) -> None:
    first = simulate(invented_world(3), rule, seed=3)

    assert simulate(invented_world(3), rule, seed=3) == first
    assert simulate(invented_world(3), rule, seed=4) != first
    assert simulate(invented_world(4), rule, seed=3) != first


def test_who_says_yes_in_time_fills_it() -> None:
    fate = only(world([slot()], people(3), YES))

    assert (fate.is_filled, fate.offers, fate.gone, fate.too_late) == (True, 1, 0, 0)


def test_one_after_the_other_silence_takes_two_waking_hours_each() -> None:
    # 9:00 to 21:00 are six windows; 8:00 to 9:00, where offers end, a seventh.
    fate = only(world([slot()], people(20), NOBODY))

    assert (fate.is_filled, fate.offers) == (False, 7)


def test_a_no_passes_it_on_at_once() -> None:
    fate = only(world([slot()], people(40), answers(0, declines=1, after=30 * MINUTE)))

    # Every half hour from 9:00 to 20:30; the no to that comes at 21:00, the next go at 8:00, 8:30.
    assert fate.offers == 26


def test_nobody_is_offered_the_same_time_twice() -> None:
    assert only(world([slot()], people(3), NOBODY)).offers == 3
    assert only(world([slot()], people(3), NOBODY), OVERLAPPING).offers == 3


def test_a_yes_after_the_window_comes_too_late() -> None:
    slow = answers(1, after=3 * HOUR)
    fate = only(world([slot(ahead=10 * HOUR)], people(2), slow))

    assert (fate.is_filled, fate.offers, fate.too_late, fate.gone) == (False, 2, 2, 0)


def test_a_yes_at_the_very_end_of_the_window_comes_too_late() -> None:
    fate = only(world([slot()], people(1), answers(1, after=2 * HOUR)))

    assert (fate.is_filled, fate.too_late) == (False, 1)


def test_overlapping_the_first_to_say_yes_wins_and_the_others_are_told_it_is_gone() -> None:
    slow = answers(1, after=3 * HOUR)
    fate = only(world([slot()], people(20), slow), OVERLAPPING)

    # Every half hour, a share of the day ahead: six by 11:30, and at 12:00 the first answers.
    assert (fate.is_filled, fate.offers, fate.gone, fate.too_late) == (True, 6, 5, 0)


def test_who_was_not_first_is_free_for_the_next_at_once() -> None:
    second = slot("second", freed_at=FREED + 4 * HOUR, ahead=8 * HOUR)
    tried = world([slot("first"), second], people(2), answers(1, after=3 * HOUR))

    first, next_one = simulate(tried, OVERLAPPING, seed=1).fates

    assert (first.is_filled, first.gone) == (True, 1)
    assert (next_one.is_filled, next_one.offers) == (True, 1)


def test_who_has_a_visit_is_offered_no_other() -> None:
    later = slot("second", freed_at=FREED + 6 * HOUR)

    first, second = simulate(world([slot(), later], people(1), YES), SEQUENTIAL, seed=1).fates

    assert (first.is_filled, second.is_filled, second.offers) == (True, False, 0)


def test_who_thinks_about_an_offer_gets_no_other_before_it_ends() -> None:
    tried = world([slot("first"), slot("second")], people(1), answers(0))

    first, second = simulate(tried, OVERLAPPING, seed=1).fates

    assert (first.offers, second.offers) == (1, 0)


def test_nobody_gets_more_offers_a_day_than_the_rule_says() -> None:
    rule = replace(SEQUENTIAL, most_a_day=2)
    slots = [slot(f"slot {n}", freed_at=FREED + 2 * n * HOUR, ahead=8 * HOUR) for n in range(4)]

    outcome = simulate(world(slots, people(1), NOBODY), rule, seed=1)

    assert [fate.offers for fate in outcome.fates] == [1, 1, 0, 0]


def test_in_quiet_hours_nobody_is_told() -> None:
    night = new_york("2026-06-09T22:00")
    ends_at_nine = person("ana", lead=10 * MINUTE)
    early = slot(freed_at=night, ahead=10 * HOUR + 20 * MINUTE)
    later = slot(freed_at=night, ahead=10 * HOUR + 30 * MINUTE)

    quick = answers(1, after=5 * MINUTE)
    assert only(world([early], [ends_at_nine], quick)).offers == 0
    assert only(world([later], [ends_at_nine], quick)).is_filled


def test_who_is_urgent_goes_first_however_short_they_wait() -> None:
    later = new_york("2026-06-24T10:00")
    urgent = person("urgent", days=0, wants=who_sees(later), is_urgent=True)

    fate = only(world([slot()], [*people(5), urgent], YES))

    assert (fate.offers, fate.days_gained) == (1, 14)


def test_who_left_is_offered_nothing() -> None:
    gone = person("gone", leaves=FREED - MINUTE)
    leaving = person("leaving", leaves=FREED + HOUR)

    assert only(world([slot()], [gone], YES)).offers == 0
    assert only(world([slot()], [*people(1), leaving], NOBODY)).offers == 1


def test_who_joins_while_it_is_offered_has_a_chance() -> None:
    joins = person("joins", since=FREED + HOUR)

    assert only(world([slot()], [*people(1), joins], NOBODY)).offers == 2
    assert only(world([slot()], [joins], NOBODY)).offers == 0


def test_what_does_not_fit_is_not_offered() -> None:
    tried = [
        person("other provider", providers=frozenset("B")),
        person("too long", length=40 * MINUTE),
        person("with a buffer", buffer_after=5 * MINUTE),
        person("wants sooner", wants=who_sees(FREED + DAY)),
        person("long lead", lead=DAY),
    ]

    assert only(world([slot()], tried, YES)).offers == 0


def _never(*_args: Any, **_known: Any) -> pacing.Stop:
    return pacing.Stop("EXHAUSTED")


def _backwards(rank: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def turned(each: Iterable[Any], *, key: Callable[[Any], Waiting]) -> list[Any]:
        return rank(each, key=key)[::-1]

    return turned


def test_the_pace_is_the_product_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "next_step", _never)

    assert only(world([slot()], people(3), YES)).offers == 0


def test_the_order_is_the_product_s(monkeypatch: pytest.MonkeyPatch) -> None:
    urgent = person("urgent", wants=who_sees(FREED + 14 * DAY), is_urgent=True)
    waiting = [*people(2), urgent]
    assert only(world([slot()], waiting, YES)).days_gained == 13

    monkeypatch.setattr(ranking, "rank", _backwards(ranking.rank))

    assert only(world([slot()], waiting, YES)).days_gained is None


def test_who_would_take_it_is_the_product_s_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanting, "takes", lambda *_args, **_known: False)

    assert only(world([slot()], people(3), YES)).offers == 0
