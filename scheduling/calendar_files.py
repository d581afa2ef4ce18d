"""A visit as an iCalendar file. Says when, where and with which clinic; never why."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from patients.contacts import show_phone
from scheduling.models import Appointment
from scheduling.transitions import Status

PRODUCT = "-//Daysheet//Appointments//EN"


def calendar_file(appointment: Appointment, *, now: datetime) -> bytes:
    """Return the .ics file of one visit, with METHOD:PUBLISH.

    The UID stays the visit's own through every move and SEQUENCE rises with it, so that a second
    download replaces the first one's entry.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_event(appointment, now=now))
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(appointment: Appointment, *, now: datetime) -> Event:
    clinic = appointment.clinic
    cancelled = appointment.status == Status.CANCELLED
    event = Event()
    event.add("uid", f"{appointment.pk}@daysheet")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", _written(appointment.scheduled_start, appointment.zone))
    event.add("dtend", _written(appointment.scheduled_end, appointment.zone))
    event.add("summary", _("Appointment at %(clinic)s") % {"clinic": clinic.name})
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    if appointment.appointment_type.is_telehealth:
        event.add("location", _("By video"))
    elif clinic.address:
        event.add("location", ", ".join([clinic.name, *clinic.address.split("\n")]))
    else:
        event.add("location", clinic.name)
    if clinic.phone:
        words = _("To change or cancel, call %(phone)s.") % {"phone": show_phone(clinic.phone)}
        event.add("description", words)
    return event


def _written(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return the clinic's wall-clock time, or UTC where that time comes twice on that day.

    A local time with TZID means the first of the two, whatever was meant.
    """
    local = instant.astimezone(zone)
    first = local.replace(fold=0).astimezone(UTC)
    return local if first == instant else instant.astimezone(UTC)
