"""Tells the rest of the product, inside the booking's own transaction, that an appointment changed.

Who listens is named in settings; this module knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string
from psycopg.types.range import Range

from scheduling.actors import Actor
from scheduling.models import Appointment
from scheduling.transitions import Status


@dataclass(frozen=True, slots=True)
class Before:
    """What an appointment was before it changed; `busy` is the visit with its buffers."""

    provider_id: UUID
    start: datetime
    end: datetime
    status: Status
    clinic_id: UUID
    busy: Range[datetime]
    lane: int
    visit_type_id: UUID

    @classmethod
    def of(cls, appointment: Appointment) -> Before:
        return cls(
            appointment.provider_id,
            appointment.scheduled_start,
            appointment.scheduled_end,
            Status(appointment.status),
            appointment.clinic_id,
            appointment.busy,
            appointment.overbook_lane,
            appointment.appointment_type_id,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """`kind` is BOOK, MOVE, SEND_NOW, RESTORE or an Act; nothing may leave the house before
    `not_before`. `reason` is the code of a cancellation's."""

    kind: str
    appointment: Appointment
    before: Before | None
    by: Actor
    at: datetime
    not_before: datetime | None = None
    reason: str = ""


Handler = Callable[[list[Change]], None]


@lru_cache(maxsize=4)
def _handlers(paths: tuple[str, ...]) -> tuple[Handler, ...]:
    return tuple(import_string(path) for path in paths)


def announce(changes: list[Change]) -> None:
    """Call every handler in settings.BOOKING_HANDLERS, in order; one that fails undoes the act."""
    for handler in _handlers(tuple(settings.BOOKING_HANDLERS)):
        handler(changes)
