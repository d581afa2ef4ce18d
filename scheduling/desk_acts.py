"""Which acts the desk offers for a visit as it stands; the verbs still decide for themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from scheduling import booking
from scheduling.errors import TooEarly
from scheduling.models import Appointment
from scheduling.policies import check_timing
from scheduling.presenters import clock
from scheduling.transitions import Act, Status

OPEN = {Status.SCHEDULED, Status.CONFIRMED}
Verb = Callable[..., Appointment]


@dataclass(frozen=True, slots=True)
class DeskAct:
    """An act of one click: its verb, the words on its button and what is said when it is done."""

    verb: Verb
    label: Promise
    done: Promise


ACTS: dict[str, DeskAct] = {
    "check-in": DeskAct(
        booking.check_in, gettext_lazy("Check in"), gettext_lazy("%(name)s is checked in.")
    ),
    "complete": DeskAct(
        booking.complete, gettext_lazy("Complete"), gettext_lazy("The visit is completed.")
    ),
    "confirm": DeskAct(
        booking.confirm, gettext_lazy("Confirm"), gettext_lazy("The visit is confirmed.")
    ),
    "no-show": DeskAct(
        booking.mark_no_show, gettext_lazy("No-show"), gettext_lazy("Marked as no-show.")
    ),
    "undo": DeskAct(booking.undo, gettext_lazy("Undo"), gettext_lazy("Undone.")),
    "send-now": DeskAct(
        booking.send_now, gettext_lazy("Send now"), gettext_lazy("This is final now.")
    ),
    "restore": DeskAct(
        booking.restore,
        gettext_lazy("Give it back"),
        gettext_lazy("%(name)s has the visit back, and is told so."),
    ),
}


@dataclass(frozen=True, slots=True)
class Offers:
    """What the panel shows: acts of one click in order of use, and whether the visit may change.

    `can_restore`: its time was freed because nobody confirmed it, and may be given back.
    """

    acts: list[tuple[str, str]]
    can_change: bool
    undo_until: str
    can_restore: bool


def offers(visit: Appointment, *, now: datetime) -> Offers:
    """Return the acts that make sense for a visit at this instant."""
    undo = visit.undo_until
    undoable = undo is not None and undo > now
    return Offers(
        acts=[(name, str(ACTS[name].label)) for name in _sensible(visit, now)],
        can_change=visit.status in OPEN,
        undo_until=clock(undo.astimezone(visit.zone)) if undo is not None and undoable else "",
        can_restore=visit.scheduled_start > now and booking.is_released(visit),
    )


def _sensible(visit: Appointment, now: datetime) -> Iterator[str]:
    if visit.status not in OPEN:
        return
    is_today = visit.local_start.date() == now.astimezone(visit.zone).date()
    has_come = visit.arrived_at is not None
    if is_today and not has_come:
        yield "check-in"
    if has_come or (visit.scheduled_start <= now and not is_today):
        yield "complete"
    if visit.status == Status.SCHEDULED and visit.scheduled_start > now and not has_come:
        yield "confirm"
    if not has_come and _in_time(Act.MARK_NO_SHOW, visit, now):
        yield "no-show"


def _in_time(act: Act, visit: Appointment, now: datetime) -> bool:
    try:
        check_timing(act, visit, now=now)
    except TooEarly:
        return False
    return True


def done_words(name: str, visit: Appointment) -> str:
    """Return what to say once an act is done."""
    return str(ACTS[name].done) % {"name": visit.patient.full_name}
