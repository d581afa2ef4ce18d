"""Template filters for instants, always in a named zone: a clinic, an appointment or a slot."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html

from patients.contacts import show_phone
from scheduling import presenters
from scheduling.models import Appointment

register = template.Library()


@register.filter
def clock(when: datetime, zone: ZoneInfo) -> str:
    """{{ appointment.scheduled_start|clock:clinic.zone }} → "3:30 pm"."""
    return presenters.clock(when.astimezone(zone))


@register.filter
def longdate(when: datetime, zone: ZoneInfo) -> str:
    """{{ appointment.scheduled_start|longdate:clinic.zone }} → "Tuesday, June 9"."""
    return presenters.long_date(when.astimezone(zone))


@register.filter
def dayname(day: date) -> str:
    """{{ day|dayname }} → "Tuesday, June 9", of a date without a time."""
    return presenters.long_date(day)  # type: ignore[arg-type]


@register.filter
def zonename(when: datetime, zone: ZoneInfo) -> str:
    """{{ slot.start|zonename:clinic.zone }} → "EDT"."""
    return when.astimezone(zone).tzname() or ""


@register.filter
def status_tag(appointment: Appointment) -> presenters.Tag:
    return presenters.status_tag(appointment)


@register.filter
def phone(number: str) -> str:
    return show_phone(number)


@register.filter
def phonelink(number: str) -> str:
    """{{ clinic.phone|phonelink }} → a link that calls the number, on one line."""
    if not number:
        return ""
    return format_html('<a class="nowrap" href="tel:{}">{}</a>', number, show_phone(number))
