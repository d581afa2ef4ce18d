"""Figures of runs, with how sure one can be of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduling.waitlist.simulation import Fate, Outcome, Summary
from scheduling.waitlist.simulation.outcomes import Figure, figure, t_quantile

HOUR = timedelta(hours=1)


def fate(
    *,
    hours: int = 12,
    offers: int = 1,
    is_filled: bool = False,
    gone: int = 0,
    days_gained: int | None = None,
) -> Fate:
    return Fate(
        slot="slot",
        lead=hours * HOUR,
        offers=offers,
        is_filled=is_filled,
        gone=gone,
        too_late=0,
        days_gained=days_gained,
    )


@pytest.mark.parametrize(
    ("freedom", "printed"), [(3, 3.182), (4, 2.776), (9, 2.262), (19, 2.093), (120, 1.980)]
)
def test_student_s_t_is_that_of_the_printed_tables(freedom: int, printed: float) -> None:
    assert t_quantile(0.975, freedom) == pytest.approx(printed, rel=0.01)


def test_a_figure_is_a_mean_with_its_interval() -> None:
    found = figure([0.4, 0.5, 0.6, 0.5])

    assert found is not None
    assert found.mean == pytest.approx(0.5)
    assert found.high - found.mean == pytest.approx(3.182 * 0.0816497 / 2, rel=0.01)
    assert found.mean - found.low == pytest.approx(found.high - found.mean)


def test_one_run_has_no_interval_and_none_no_figure() -> None:
    assert figure([0.4]) == Figure(0.4, 0.4, 0.4)
    assert figure([]) is None


def test_shares_and_counts_are_per_slot() -> None:
    run = Outcome(
        [
            fate(is_filled=True, offers=3, gone=2, days_gained=10),
            fate(hours=24, offers=5),
            fate(hours=25, is_filled=True, offers=4, days_gained=20),
            fate(hours=48, is_filled=True, offers=0),
        ]
    )

    assert run.fill == 0.75
    assert run.fill_soon == 0.5
    assert run.gone == 0.5
    assert run.offers == 3
    assert run.offers_per_fill == 4
    assert run.days_gained == 15


def test_what_there_is_none_of_has_no_figure() -> None:
    run = Outcome([fate(hours=48)])

    assert (run.fill_soon, run.offers_per_fill, run.days_gained) == (None, None, None)
    assert Outcome([]).fill is None
    assert Summary([run, run]).fill_soon is None


def test_no_interval_leaves_what_is_possible() -> None:
    runs = [Outcome([fate(is_filled=True)])] * 3 + [Outcome([fate(gone=1)])]

    found = Summary(runs)

    assert found.fill is not None
    assert (found.fill.mean, found.fill.high) == (0.75, 1.0)
    assert found.gone is not None
    assert (found.gone.mean, found.gone.low) == (0.25, 0.0)
