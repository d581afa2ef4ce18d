"""When an act is allowed: cut-offs bind patients, and staff override them with a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from providers.models import VisitType
from scheduling.actors import Actor, ActorKind
from scheduling.errors import InThePast, TooEarly, TooLateToChange, TypeNotAllowed
from scheduling.models import Appointment
from scheduling.placing import Terms
from scheduling.transitions import Act

UNDO_WINDOW = timedelta(minutes=10)
NO_SHOW_GRACE = timedelta(minutes=15)


def terms_for(by: Actor, *, override: str = "") -> Terms:
    """Return what binds an actor: staff choose any minute, and with a reason any day."""
    return Terms(
        on_grid=not by.is_staff,
        notice_and_horizon=not (by.is_staff and override),
    )


def check_can_book(visit_type: VisitType, *, by: Actor) -> None:
    """Raise TypeNotAllowed for a patient who asks for a visit that only staff book."""
    if by.kind is ActorKind.PATIENT and not visit_type.bookable_online:
        raise TypeNotAllowed


def check_can_change(appointment: Appointment, *, by: Actor, now: datetime) -> None:
    """Raise InThePast once the visit has begun, TooLateToChange within the clinic's cut-off.

    The cut-off is `patient_cutoff_hours` before the start and binds patients; staff give a reason
    with what they do, which stays in the history.
    """
    if by.is_staff or by.kind is ActorKind.SYSTEM:
        return
    if appointment.scheduled_start <= now:
        raise InThePast
    cutoff = timedelta(hours=appointment.clinic.patient_cutoff_hours)
    if appointment.scheduled_start - cutoff <= now:
        raise TooLateToChange


def check_timing(act: Act, appointment: Appointment, *, now: datetime) -> None:
    """Raise TooEarly for a no-show before start + 15 min, or completing a visit not begun."""
    start = appointment.scheduled_start
    if act is Act.MARK_NO_SHOW and now < start + NO_SHOW_GRACE:
        raise TooEarly
    if act is Act.COMPLETE and now < start and appointment.arrived_at is None:
        raise TooEarly
