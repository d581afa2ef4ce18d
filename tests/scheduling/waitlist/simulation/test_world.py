"""How people answer: by draws of their own, which do not depend on what else happens."""

from __future__ import annotations

from datetime import timedelta
from statistics import median

import pytest

from scheduling.waitlist.simulation import Behaviour
from scheduling.waitlist.simulation.world import YEAR, Says
from tests.scheduling.waitlist.simulation.small import FREED, people, person, slot, world

MINUTE = timedelta(minutes=1)
MANY = 20_000


def test_a_slot_and_an_entry_have_the_same_draw_whoever_asks_when() -> None:
    people_at_large = Behaviour()

    first = people_at_large.answer(1, "slot", "entry")

    assert people_at_large.answer(1, "slot", "other") != first
    assert people_at_large.answer(2, "slot", "entry") != first
    assert people_at_large.answer(1, "slot", "entry") == first


def test_answers_have_the_shares_and_the_median_that_were_asked_for() -> None:
    drawn = [Behaviour().answer(1, "slot", str(n)) for n in range(MANY)]
    yes = [each.after / MINUTE for each in drawn if each.says is Says.YES]
    no = [each for each in drawn if each.says is Says.NO]

    assert len(yes) / MANY == pytest.approx(0.11, abs=0.01)
    assert len(no) / (MANY - len(yes)) == pytest.approx(0.3, abs=0.015)
    assert median(yes) == pytest.approx(45, rel=0.1)


def test_an_answer_takes_a_year_at_most() -> None:
    slow = Behaviour(median_answer=timedelta(days=7), sigma=3)

    assert max(slow.answer(1, "slot", str(n)).after for n in range(MANY)) == YEAR


@pytest.mark.parametrize(
    "wrong",
    [
        {"acceptance": 1.1},
        {"declines": -0.1},
        {"acceptance": float("nan")},
        {"median_answer": timedelta(0)},
        {"median_answer": timedelta(days=8)},
        {"sigma": -1},
        {"sigma": float("nan")},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"share|answer"):
        Behaviour(**wrong)  # type: ignore[arg-type]


def test_takers_stand_in_the_order_of_the_rule_with_when_they_joined() -> None:
    joins = person("joins", since=FREED + 5 * MINUTE, is_urgent=True)
    found = world([slot()], [joins, *people(2)], Behaviour()).takers["slot"]

    assert [each.candidate.entry for each in found] == ["joins", "entry 00", "entry 01"]
    assert [each.since - FREED for each in found] == [5 * MINUTE, 0 * MINUTE, 0 * MINUTE]
