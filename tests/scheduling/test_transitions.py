"""Every act from every status is either in this test's own list or refused."""

import pickle

import pytest

from scheduling.errors import IllegalTransition
from scheduling.transitions import UNDOABLE, Act, Status, after, is_repeat, undo_target

OPEN = (Status.SCHEDULED, Status.CONFIRMED)
CLOSING = {
    Act.COMPLETE: Status.COMPLETED,
    Act.CANCEL: Status.CANCELLED,
    Act.MARK_NO_SHOW: Status.NO_SHOW,
}
EVERY = [(act, status) for act in Act for status in Status]


def expected(act: Act, status: Status) -> Status | None:
    """The clinic's rule in words: only what is still open can be acted upon."""
    if status not in OPEN or act is Act.UNDO:
        return None
    if act is Act.CONFIRM:
        return Status.CONFIRMED if status is Status.SCHEDULED else None
    return CLOSING.get(act, status)


@pytest.mark.parametrize(("act", "status"), EVERY)
def test_an_act_leads_where_the_clinic_says_or_is_refused(act: Act, status: Status) -> None:
    target = expected(act, status)
    if target is None:
        with pytest.raises(IllegalTransition) as refused:
            after(act, status)
        assert (refused.value.act, refused.value.status) == (act, status)
    else:
        assert after(act, status) is target


@pytest.mark.parametrize(("act", "status"), EVERY)
def test_an_act_is_a_repeat_only_where_its_effect_already_holds(act: Act, status: Status) -> None:
    effect = CLOSING | {Act.CONFIRM: Status.CONFIRMED}
    assert is_repeat(act, status) is (effect.get(act) is status)


@pytest.mark.parametrize("current", list(Status))
@pytest.mark.parametrize("previous", list(Status))
def test_undo_leads_back_from_closed_to_open_and_nowhere_else(
    current: Status, previous: Status
) -> None:
    if current in CLOSING.values() and previous in OPEN:
        assert undo_target(current, previous) is previous
    else:
        with pytest.raises(IllegalTransition):
            undo_target(current, previous)


def test_the_acts_that_close_an_appointment_are_the_ones_that_can_be_undone() -> None:
    assert set(CLOSING) == UNDOABLE


def test_a_refused_transition_says_so_in_words_and_survives_pickling() -> None:
    error = IllegalTransition(Act.MARK_NO_SHOW, Status.CANCELLED)
    assert str(error) == "Not possible (mark no show): the appointment is cancelled."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301  our own bytes
