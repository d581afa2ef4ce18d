"""Every refusal has a code of its own and words that a person can read."""

import pickle

import pytest

from scheduling.errors import IllegalTransition, SchedulingError, SlotTaken

PLAIN = [kind for kind in SchedulingError.__subclasses__() if kind is not IllegalTransition]


def test_no_two_facts_share_a_code() -> None:
    codes = [kind.code for kind in SchedulingError.__subclasses__()]
    assert len(set(codes)) == len(codes) > 15
    assert SchedulingError.code not in codes


@pytest.mark.parametrize("kind", PLAIN)
def test_a_refusal_speaks_for_itself_unless_told_what_to_say(kind: type[SchedulingError]) -> None:
    assert str(kind()) == kind.message != SchedulingError.message
    assert str(kind("Taken a moment ago.")) == "Taken a moment ago."


def test_a_taken_slot_remembers_that_it_is_only_held() -> None:
    assert not SlotTaken().held
    copy = pickle.loads(pickle.dumps(SlotTaken(held=True)))  # noqa: S301  our own bytes
    assert copy.held
    assert str(copy) == SlotTaken.message
