"""The room of a video visit: its name that nobody can guess, and from when until when it is open.

Decides no more than that; which page may lead whom there is the pages'. A room's name is made from
SECRET_KEY, the visit and its sequence, and stored nowhere: a visit that is moved gets another one.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.urls import reverse

from patients.crypto import derive
from scheduling.models import Appointment
from scheduling.transitions import Status

EARLY = timedelta(minutes=15)
AFTER = timedelta(minutes=30)
NAME_BYTES = 20  # 160 bits, 40 letters and digits
PURPOSE = "video-room"
OPEN = {Status.SCHEDULED.value, Status.CONFIRMED.value}


class Door(Enum):
    """How a video visit stands for whoever wants to join it."""

    NO_VIDEO = "no_video"
    CANCELLED = "cancelled"
    OVER = "over"
    NO_ROOM = "no_room"
    EARLY = "early"
    OPEN = "open"


def is_video(appointment: Appointment) -> bool:
    return bool(appointment.appointment_type.is_telehealth)


def room_url(appointment: Appointment) -> str | None:
    """Return where the visit takes place; None where its clinic has named no place for video.

    A place without TLS counts as none.
    """
    base = appointment.clinic.telehealth_base_url.rstrip("/")
    return f"{base}/{_room_name(appointment)}" if base.startswith("https://") else None


def _room_name(appointment: Appointment) -> str:
    key = derive(settings.SECRET_KEY.encode(), PURPOSE)
    row = f"{appointment.pk}:{appointment.sequence}"
    return hmac.digest(key, row.encode(), "sha256")[:NAME_BYTES].hex()


def opens_at(appointment: Appointment) -> datetime:
    return appointment.scheduled_start - EARLY


def closes_at(appointment: Appointment) -> datetime:
    return appointment.scheduled_end + AFTER


def door(appointment: Appointment, *, now: datetime) -> Door:
    """Return whether the visit can be joined at this instant, and why not."""
    if not is_video(appointment):
        return Door.NO_VIDEO
    if appointment.status == Status.CANCELLED:
        return Door.CANCELLED
    if appointment.status not in OPEN or now >= closes_at(appointment):
        return Door.OVER
    if room_url(appointment) is None:
        return Door.NO_ROOM
    return Door.EARLY if now < opens_at(appointment) else Door.OPEN


def join_url(appointment: Appointment, token: str) -> str:
    """Return the address for a message: a link's token, and on to the room when it is open."""
    return f"{settings.SITE_URL}{reverse('portal:join_link', args=[token])}"
