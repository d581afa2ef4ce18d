"""Over which days figures are asked for: the clinic's own, the last ninety unless others are."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reminders.reports import Span

DAY = timedelta(days=1)
SHOWN_AT_FIRST = timedelta(days=89)
LONGEST = timedelta(days=731)
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class DaysForm(forms.Form):
    """Both days count; two years at most."""

    use_required_attribute = False
    since = _day(gettext_lazy("From"))
    until = _day(gettext_lazy("To"))

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        since, until = told.get("since"), told.get("until")
        for day in filter(None, (since, until)):
            if not FIRST <= day <= LAST:
                raise forms.ValidationError(_("Enter days of this century."))
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first."))
        elif since and until and until - since > LONGEST:
            self.add_error("until", _("Ask for two years at most."))
        return told

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
