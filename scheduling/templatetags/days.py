"""Template filters for days in the forms that `daysheet` has none for: parts, and with the year."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django import template
from django.utils.formats import date_format
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def weekday(day: date) -> str:
    """{{ day|weekday }} → "Tuesday"."""
    return date_format(day, "l")


@register.filter
def monthday(day: date) -> str:
    """{{ day|monthday }} → "June 9"."""
    return date_format(day, pgettext("day and month, PHP-style", "F j"))


@register.filter
def fulldate(day: date) -> str:
    """{{ patient.dob|fulldate }} → "April 7, 1961"."""
    return date_format(day, pgettext("day, month and year, PHP-style", "F j, Y"))


@register.filter
def dateinzone(when: datetime, zone: ZoneInfo) -> str:
    """{{ visit.scheduled_start|dateinzone:clinic.zone }} → "June 9, 2026"."""
    return fulldate(when.astimezone(zone).date())
