"""What is said leads there, and nothing is said twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.outbox.planning import standing_after, steps
from emr.standings import Standing
from emr.visits import Step
from scheduling.transitions import Status

NINE = datetime(2026, 6, 8, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)
BOOKED = Standing(NINE, NINE + HALF, "dr-a", Status.SCHEDULED)
LATER = replace(BOOKED, start=NINE + HALF, end=NINE + 2 * HALF)
CONFIRMED, ARRIVED = replace(BOOKED, is_confirmed=True), replace(BOOKED, has_arrived=True)
DONE, OFF, AWAY = (
    replace(BOOKED, status=status)
    for status in (Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW)
)
B, R, F, A, V, D, X, N = (
    Step.BOOK,
    Step.RESCHEDULE,
    Step.CONFIRM,
    Step.ARRIVE,
    Step.REVERT,
    Step.COMPLETE,
    Step.CANCEL,
    Step.NO_SHOW,
)


@pytest.mark.parametrize(
    ("agreed", "wanted", "said"),
    [
        (None, BOOKED, [B]),
        (None, CONFIRMED, [B, F]),
        (None, ARRIVED, [B, A]),
        (None, DONE, [B, D]),
        (None, AWAY, [B, N]),
        (None, OFF, []),
        (BOOKED, BOOKED, []),
        (BOOKED, LATER, [R]),
        (BOOKED, replace(BOOKED, provider="dr-b"), [R]),
        (BOOKED, CONFIRMED, [F]),
        (CONFIRMED, BOOKED, []),
        (CONFIRMED, replace(LATER, is_confirmed=True), [R, F]),
        (BOOKED, ARRIVED, [A]),
        (ARRIVED, LATER, [R]),
        (BOOKED, DONE, [D]),
        (BOOKED, replace(LATER, status=Status.COMPLETED), [R, D]),
        (BOOKED, OFF, [X]),
        (BOOKED, replace(LATER, status=Status.CANCELLED), [X]),
        (BOOKED, AWAY, [N]),
        (OFF, OFF, []),
        (OFF, BOOKED, [V]),
        (OFF, LATER, [V, R]),
        (DONE, BOOKED, [V]),
        (DONE, AWAY, [V, N]),
        (DONE, OFF, [V, X]),
        (AWAY, CONFIRMED, [V, F]),
    ],
)
def test_what_is_said(agreed: Standing | None, wanted: Standing, said: list[Step]) -> None:
    assert steps(agreed, wanted) == said


standings = st.builds(
    Standing,
    start=st.sampled_from([NINE, NINE + HALF]),
    end=st.just(NINE + 2 * HALF),
    provider=st.sampled_from(["dr-a", "dr-b"]),
    status=st.sampled_from([Status.SCHEDULED, Status.COMPLETED, Status.CANCELLED, Status.NO_SHOW]),
    has_arrived=st.booleans(),
    is_confirmed=st.booleans(),
)


def walked(agreed: Standing | None, wanted: Standing) -> Standing | None:
    at = agreed
    for step in steps(agreed, wanted):
        at = standing_after(step, wanted, before=at)
    return at


@given(st.none() | standings, standings)
def test_once_all_is_said_nothing_is_left_to_say(agreed: Standing | None, wanted: Standing) -> None:
    """After each step as well: what a worker that died has said need not be said again."""
    at = agreed
    for left, step in reversed(list(enumerate(reversed(steps(agreed, wanted))))):
        at = standing_after(step, wanted, before=at)
        assert len(steps(at, wanted)) == left
    assert steps(at, wanted) == []


@given(st.none() | standings, standings)
def test_the_status_is_the_wanted_one_and_so_are_time_and_provider_of_a_live_visit(
    agreed: Standing | None, wanted: Standing
) -> None:
    at = walked(agreed, wanted)
    if at is None:
        assert wanted.status is Status.CANCELLED
        return
    assert at.status is wanted.status
    if wanted.status is Status.SCHEDULED:
        assert (at.start, at.end, at.provider) == (wanted.start, wanted.end, wanted.provider)
        assert at.has_arrived >= wanted.has_arrived
        assert at.is_confirmed >= wanted.is_confirmed


@given(standings, standings)
def test_the_other_side_is_booked_with_once_at_most(agreed: Standing, wanted: Standing) -> None:
    assert Step.BOOK not in steps(agreed, wanted)
    assert steps(None, wanted).count(Step.BOOK) <= 1
