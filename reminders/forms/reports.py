"""Over which days figures are asked for: the clinic's own, the last ninety unless others are."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy

from patients.days_form import BetweenDaysForm
from reminders.reports import Span

DAY = timedelta(days=1)
SHOWN_AT_FIRST = timedelta(days=89)
LONGEST = timedelta(days=731)


class DaysForm(BetweenDaysForm):
    """Both days count; two years at most."""

    longest = LONGEST
    too_long = gettext_lazy("Ask for two years at most.")

    def days(self, zone: ZoneInfo, *, now: datetime) -> tuple[date, date]:
        """Return the first and the last day; only what is valid counts."""
        told = self.cleaned_data
        today = now.astimezone(zone).date()
        since = told.get("since")
        until = told.get("until") or min(max(today, since or today), (since or today) + LONGEST)
        return since or until - SHOWN_AT_FIRST, until


def span_of(days: tuple[date, date], zone: ZoneInfo) -> Span:
    """Return two days, the last one whole, as instants on a clinic's clock."""
    first, last = days
    return Span(
        datetime.combine(first, time.min, zone), datetime.combine(last + DAY, time.min, zone)
    )
