"""What a patient's page says of a visit, and what it lets them do: one decision for all pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scheduling.actors import Actor
from scheduling.errors import InThePast, TooLateToChange
from scheduling.models import Appointment
from scheduling.policies import check_can_change
from scheduling.transitions import Status


@dataclass(frozen=True, slots=True)
class Standing:
    """`page` names the words: open, confirmed, cancelled or past."""

    page: str
    can_confirm: bool = False
    can_change: bool = False

    @property
    def is_too_late(self) -> bool:
        """Still to come, but only the clinic may change it now."""
        return self.page in {"open", "confirmed"} and not self.can_change


def standing_of(visit: Appointment, *, now: datetime) -> Standing:
    """Return how a visit stands for its patient at this instant."""
    if visit.status == Status.CANCELLED:
        return Standing("cancelled")
    if visit.status not in {Status.SCHEDULED, Status.CONFIRMED}:
        return Standing("past")
    try:
        check_can_change(visit, by=Actor.patient(), now=now)
    except InThePast:
        return Standing("past")
    except TooLateToChange:
        can_change = False
    else:
        can_change = True
    is_open = visit.status == Status.SCHEDULED
    return Standing("open" if is_open else "confirmed", is_open, can_change)
