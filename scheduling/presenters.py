"""Words and colours: what an appointment's state is called, and how times are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache

from django.utils.formats import date_format, time_format
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext_lazy as _

from scheduling.models import Appointment, AppointmentEvent, CancelReason, OverrideReason
from scheduling.transitions import Status

ARRIVED, IN_ROOM = "arrived", "in-room"
NOON = 12  # hours
NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
WORDS = {
    "scheduled": _("Scheduled"),
    "confirmed": _("Confirmed"),
    ARRIVED: _("Arrived"),
    IN_ROOM: _("In room"),
    "completed": _("Completed"),
    "cancelled": _("Cancelled"),
    "no-show": _("No-show"),
}
EVENTS = {
    "BOOK": _("Booked"),
    "MOVE": _("Moved"),
    "CONFIRM": _("Confirmed"),
    "CHECK_IN": _("Checked in"),
    "ROOM": _("Taken to a room"),
    "COMPLETE": _("Completed"),
    "CANCEL": _("Cancelled"),
    "MARK_NO_SHOW": _("Marked as no-show"),
    "UNDO": _("Undone"),
    "RESTORE": _("Given back to the patient"),
    "SEND_NOW": _("Made final"),
}


@dataclass(frozen=True, slots=True)
class Tag:
    """A status as a tint (`kind`, a class of the tag component) and a word (`label`)."""

    kind: str
    label: str


def status_tag(appointment: Appointment) -> Tag:
    """Return where a visit stands; one that is still to come may have arrived or be in a room."""
    kind = appointment.status.lower().replace("_", "-")
    if appointment.status in {Status.SCHEDULED, Status.CONFIRMED}:
        if appointment.roomed_at:
            kind = IN_ROOM
        elif appointment.arrived_at:
            kind = ARRIVED
    return Tag(kind, str(WORDS[kind]))


def event_words(event: AppointmentEvent) -> str:
    """Return what happened, with its reason where it has one: "Cancelled: patient asked"."""
    words = str(EVENTS.get(event.kind, event.kind))
    codes = {**dict(CancelReason.choices), **dict(OverrideReason.choices)}
    reason = codes.get(event.details.get("reason") or event.details.get("override"))
    return f"{words}: {reason}" if reason else words


def clock(local: datetime) -> str:
    """Return a wall-clock time as people say it: "3:30 pm", which no line breaks."""
    return _clock(local.time().replace(second=0, microsecond=0), get_language())


@lru_cache(maxsize=4096)
def _clock(time_of_day: time, _language: str | None) -> str:
    """A day board writes the same few times hundreds of times over."""
    half = (
        pgettext("time of day", "%(time)s am")
        if time_of_day.hour < NOON
        else pgettext("time of day", "%(time)s pm")
    )
    words = half % {"time": time_format(time_of_day, pgettext("time of day, PHP-style", "g:i"))}
    return words.replace(" ", NO_BREAK_SPACE)


def long_date(local: datetime) -> str:
    """Return a date in words: "Tuesday, June 9"."""
    return date_format(local, pgettext("day without year, PHP-style", "l, F j"))


def minutes_in_words(minutes: int) -> str:
    """Return a length: "40 min", "1 h 20 min"."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{rest} min" if rest or not hours else ""]
    return " ".join(part for part in parts if part)
