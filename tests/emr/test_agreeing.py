"""Both sides of a visit compared: every case of the table, and what holds of all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.agreeing import agree, has_ended
from emr.kinds import ConflictKind
from emr.standings import Standing
from scheduling.transitions import Status

TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEDULED, COMPLETED, CANCELLED, NO_SHOW = (
    Status.SCHEDULED,
    Status.COMPLETED,
    Status.CANCELLED,
    Status.NO_SHOW,
)


def stands(at: datetime = TEN, status: Status = SCHEDULED, **rest: Any) -> Standing:
    wanted: dict[str, Any] = {"start": at, "end": at + HOUR / 2, "provider": "p", "status": status}
    return Standing(**(wanted | rest))


AT_TEN, AT_ELEVEN, AT_NOON = stands(), stands(TEN + HOUR), stands(TEN + 2 * HOUR)
ENDINGS = [COMPLETED, CANCELLED, NO_SHOW]

places = st.sampled_from([TEN, TEN + HOUR, TEN + 2 * HOUR])
standings = st.builds(
    stands,
    places,
    st.sampled_from([SCHEDULED, *ENDINGS]),
    provider=st.sampled_from(["p", "q"]),
    has_arrived=st.booleans(),
    is_confirmed=st.booleans(),
)


def place(standing: Standing) -> tuple[datetime, datetime, str]:
    return standing.start, standing.end, standing.provider


def test_nothing_is_done_where_neither_side_changed() -> None:
    verdict = agree(base=AT_TEN, ours=AT_TEN, theirs=AT_TEN)
    assert (verdict.push, verdict.take, verdict.conflict) == (False, None, None)


def test_our_move_is_told_and_theirs_is_taken() -> None:
    ours = agree(base=AT_TEN, ours=AT_ELEVEN, theirs=AT_TEN)
    assert (ours.push, ours.take) == (True, None)
    theirs = agree(base=AT_TEN, ours=AT_TEN, theirs=AT_ELEVEN)
    assert (theirs.push, theirs.take, theirs.agreed) == (False, AT_ELEVEN, AT_ELEVEN)


def test_the_same_move_on_both_sides_is_no_conflict() -> None:
    verdict = agree(base=AT_TEN, ours=AT_ELEVEN, theirs=AT_ELEVEN)
    assert (verdict.push, verdict.take, verdict.agreed) == (False, None, AT_ELEVEN)


def test_two_different_moves_are_for_a_person() -> None:
    verdict = agree(base=AT_TEN, ours=AT_ELEVEN, theirs=AT_NOON)
    assert verdict.conflict is ConflictKind.BOTH_MOVED
    assert (verdict.push, verdict.take, verdict.agreed) == (False, None, AT_TEN)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_of_one_side_beats_what_the_other_left_alone(ending: Status) -> None:
    ended = stands(status=ending)
    assert agree(base=AT_TEN, ours=AT_TEN, theirs=ended).take == ended
    assert agree(base=AT_TEN, ours=ended, theirs=AT_TEN).push is True
    confirmed = stands(is_confirmed=True)
    assert agree(base=AT_TEN, ours=confirmed, theirs=ended).conflict is None


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("other", ENDINGS)
def test_two_endings_must_be_the_same(ending: Status, other: Status) -> None:
    ours, theirs = stands(status=ending), stands(status=other)
    verdict = agree(base=AT_TEN, ours=ours, theirs=theirs)
    assert verdict.conflict is (None if ending is other else ConflictKind.STATUS)
    later = agree(base=ours, ours=ours, theirs=theirs)
    assert later.conflict is (None if ending is other else ConflictKind.STATUS)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ending_against_a_move_is_for_a_person(ending: Status) -> None:
    here = agree(base=AT_TEN, ours=stands(status=ending), theirs=AT_ELEVEN)
    there = agree(base=AT_TEN, ours=AT_ELEVEN, theirs=stands(status=ending))
    assert here.conflict is there.conflict is ConflictKind.STATUS


def test_a_visit_that_ended_there_at_another_time_ends_here_where_it_stands() -> None:
    verdict = agree(base=AT_TEN, ours=AT_TEN, theirs=stands(TEN + HOUR / 12, COMPLETED))
    assert verdict.take == stands(status=COMPLETED)
    assert verdict.push is False


def test_booked_does_not_take_a_confirmation_back() -> None:
    ours = stands(is_confirmed=True)
    verdict = agree(base=ours, ours=ours, theirs=AT_TEN)
    assert (verdict.push, verdict.take, verdict.agreed) == (False, None, ours)


def test_a_confirmation_there_is_taken_and_one_here_is_told() -> None:
    confirmed = stands(is_confirmed=True)
    assert agree(base=AT_TEN, ours=AT_TEN, theirs=confirmed).take == confirmed
    assert agree(base=AT_TEN, ours=confirmed, theirs=AT_TEN).push is True


def test_a_move_there_ends_a_confirmation_of_the_old_time() -> None:
    confirmed = stands(is_confirmed=True)
    moved = stands(TEN + HOUR, is_confirmed=True)
    verdict = agree(base=confirmed, ours=confirmed, theirs=moved)
    assert verdict.take == AT_ELEVEN
    assert verdict.push is False


def test_an_arrival_is_taken_and_never_taken_back() -> None:
    here = stands(has_arrived=True)
    assert agree(base=AT_TEN, ours=AT_TEN, theirs=here).take == here
    back = agree(base=here, ours=here, theirs=AT_TEN)
    assert (back.push, back.take, back.agreed) == (False, None, here)


def test_different_fields_changed_on_both_sides_go_both_ways() -> None:
    ours = stands(has_arrived=True)
    theirs = stands(is_confirmed=True)
    verdict = agree(base=AT_TEN, ours=ours, theirs=theirs)
    assert verdict.take == stands(has_arrived=True, is_confirmed=True)
    assert verdict.push is True


def test_a_visit_revived_there_is_taken_but_not_at_a_first_meeting() -> None:
    cancelled = stands(status=CANCELLED)
    assert agree(base=cancelled, ours=cancelled, theirs=AT_ELEVEN).take == AT_ELEVEN
    assert agree(base=None, ours=cancelled, theirs=AT_TEN).conflict is ConflictKind.STATUS


def test_our_undone_ending_is_told() -> None:
    cancelled = stands(status=CANCELLED)
    assert agree(base=cancelled, ours=AT_TEN, theirs=cancelled).push is True


def test_at_a_first_meeting_theirs_is_taken() -> None:
    assert agree(base=None, ours=AT_TEN, theirs=AT_TEN).take is None
    assert agree(base=None, ours=AT_TEN, theirs=AT_ELEVEN).take == AT_ELEVEN
    ended = stands(status=CANCELLED)
    assert agree(base=None, ours=AT_TEN, theirs=ended).take == ended


def test_an_unknown_provider_is_no_word_about_the_provider() -> None:
    nobody = stands(provider="")
    assert agree(base=AT_TEN, ours=AT_TEN, theirs=nobody).take is None
    moved = agree(base=AT_TEN, ours=stands(provider="q"), theirs=nobody)
    assert (moved.push, moved.take, moved.agreed) == (True, None, AT_TEN)


@given(base=st.none() | standings, ours=standings, theirs=standings)
def test_each_field_is_one_side_s_and_a_conflict_touches_none(
    base: Standing | None, ours: Standing, theirs: Standing
) -> None:
    verdict = agree(base=base, ours=ours, theirs=theirs)
    if verdict.conflict is not None:
        assert (verdict.push, verdict.take, verdict.agreed) == (False, None, base)
        return
    joint = verdict.take or ours
    assert place(joint) in {place(ours), place(theirs)}
    assert joint.status in {ours.status, theirs.status}
    if not has_ended(joint) and place(joint) != place(theirs):
        assert base is not None
        assert place(theirs) == place(base)
    if joint.status is not theirs.status:
        assert base is not None
        assert theirs.status is base.status


@given(base=st.none() | standings, ours=standings, theirs=standings)
def test_what_was_settled_stays_settled(
    base: Standing | None, ours: Standing, theirs: Standing
) -> None:
    verdict = agree(base=base, ours=ours, theirs=theirs)
    if verdict.conflict is not None:
        return
    assert verdict.agreed is not None
    joint = verdict.take or ours
    again = agree(base=verdict.agreed, ours=joint, theirs=theirs)
    assert (again.take, again.conflict, again.push) == (None, None, verdict.push)
    told = agree(base=joint, ours=joint, theirs=joint)
    assert (told.push, told.take, told.conflict) == (False, None, None)


@given(base=standings, changed=standings)
def test_one_side_alone_never_makes_a_conflict_of_an_open_visit(
    base: Standing, changed: Standing
) -> None:
    opened = replace(base, status=SCHEDULED)
    assert agree(base=opened, ours=changed, theirs=opened).conflict is None
    assert agree(base=opened, ours=opened, theirs=changed).conflict is None
