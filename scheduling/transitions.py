"""Decides which act may follow which status of an appointment, from one table.

Refuses to know clocks, actors and rows: cut-offs and permissions are decided elsewhere.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from scheduling.errors import IllegalTransition


class Status(StrEnum):
    """Where an appointment stands."""

    SCHEDULED = "SCHEDULED"
    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"


class Act(StrEnum):
    """What is done to a booked appointment, its moves in time apart."""

    CONFIRM = "CONFIRM"
    CHECK_IN = "CHECK_IN"
    ROOM = "ROOM"
    COMPLETE = "COMPLETE"
    CANCEL = "CANCEL"
    MARK_NO_SHOW = "MARK_NO_SHOW"
    UNDO = "UNDO"


# UNDO has no row: it leads back to the status remembered, see `undo_target`.
MOVES: Mapping[tuple[Act, Status], Status] = MappingProxyType(
    {
        (Act.CONFIRM, Status.SCHEDULED): Status.CONFIRMED,
        (Act.CHECK_IN, Status.SCHEDULED): Status.SCHEDULED,
        (Act.CHECK_IN, Status.CONFIRMED): Status.CONFIRMED,
        (Act.ROOM, Status.SCHEDULED): Status.SCHEDULED,
        (Act.ROOM, Status.CONFIRMED): Status.CONFIRMED,
        (Act.COMPLETE, Status.SCHEDULED): Status.COMPLETED,
        (Act.COMPLETE, Status.CONFIRMED): Status.COMPLETED,
        (Act.CANCEL, Status.SCHEDULED): Status.CANCELLED,
        (Act.CANCEL, Status.CONFIRMED): Status.CANCELLED,
        (Act.MARK_NO_SHOW, Status.SCHEDULED): Status.NO_SHOW,
        (Act.MARK_NO_SHOW, Status.CONFIRMED): Status.NO_SHOW,
    }
)

UNDOABLE = frozenset({Act.CANCEL, Act.COMPLETE, Act.MARK_NO_SHOW})


def after(act: Act, status: Status) -> Status:
    """The status that `act` leads to. Raises IllegalTransition if the table has no such move."""
    try:
        return MOVES[act, status]
    except KeyError:
        raise IllegalTransition(act, status) from None


def undo_target(current: Status, previous: Status) -> Status:
    """The status that an undo leads to: `previous`, the one before the act to be undone.

    Raises IllegalTransition if no undoable act leads from `previous` to `current`.
    """
    if not any(MOVES.get((act, previous)) is current for act in UNDOABLE):
        raise IllegalTransition(Act.UNDO, current)
    return previous


def is_repeat(act: Act, status: Status) -> bool:
    """Whether `status` already is what `act` would have led to, so that nothing is left to do.

    Always false for acts that keep the status: whether a patient has arrived is not told by it.
    """
    return (act, status) not in MOVES and any(
        moved is act and target is status for (moved, _), target in MOVES.items()
    )
