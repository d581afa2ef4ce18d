"""The days, hours and lengths that an explanation speaks of, in words that both audiences read."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scheduling.availability.explaining import MOST_DAYS, Explanation
from scheduling.desk_words import day_name
from scheduling.wishes import PARTS_OF_DAY

DAY = timedelta(days=1)
HOUR_MINUTES, DAY_MINUTES = 60, 24 * 60
PARTS = {
    "morning": gettext_lazy("in the morning"),
    "afternoon": gettext_lazy("in the afternoon"),
    "evening": gettext_lazy("in the evening"),
}


def span(explanation: Explanation) -> tuple[date, date]:
    """Return the first and the last day that the reason speaks of."""
    query = explanation.query
    today = explanation.now.astimezone(query.clinics[0].zone).date()
    first = max(query.first_day, today)
    return first, max(first, min(query.last_day, first + MOST_DAYS * DAY - DAY))


def days_words(explanation: Explanation) -> str:
    """Return the days a reason speaks of: "on Tuesday, June 9", "from June 9 to August 7"."""
    first, last = span(explanation)
    if first == last:
        return _("on %(day)s") % {"day": day_words(first, explanation)}
    return _("from %(first)s to %(last)s") % {
        "first": day_words(first, explanation),
        "last": day_words(last, explanation),
    }


def day_words(day: date, explanation: Explanation) -> str:
    """Return a day in words, with its year where that is another one than now."""
    words = day_name(day)
    return words if day.year == explanation.now.year else f"{words}, {day.year}"


def last_bookable(explanation: Explanation) -> date:
    query = explanation.query
    today: datetime = explanation.now.astimezone(query.clinics[0].zone)
    return today.date() + query.visit_type.horizon_days * DAY


def part_words(explanation: Explanation) -> str:
    """Return the wanted part of the day: "in the morning"; other hours by the clock."""
    query = explanation.query
    for part, hours in PARTS_OF_DAY.items():
        if hours == (query.not_before, query.not_after):
            return str(PARTS[part])
    return _("at this time of day")


def ahead_words(minutes: int) -> str:
    """Return how long before a visit: "45 minutes", "2 hours", "3 days"."""
    if minutes % DAY_MINUTES == 0 and minutes:
        days = minutes // DAY_MINUTES
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if minutes % HOUR_MINUTES == 0 and minutes:
        hours = minutes // HOUR_MINUTES
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
