"""What a privacy officer looks for in the record: days on the clinic's clock, an act, an end."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy

from patients.days_form import BetweenDaysForm
from patients.models.audit import Act, Outcome
from patients.privacy.reports import Wanted

DAY = timedelta(days=1)
SHOWN_AT_FIRST = timedelta(days=6)
LONGEST = timedelta(days=366)


class RecordForm(BetweenDaysForm):
    """The last seven days where nothing is asked for; a year at most."""

    longest = LONGEST
    too_long = gettext_lazy("Ask for a year at most.")
    action = forms.TypedChoiceField(
        label=gettext_lazy("What"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", gettext_lazy("Everything")), *Act.choices],
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("How it ended"),
        required=False,
        choices=[("", gettext_lazy("Any way")), *Outcome.choices],
    )

    def wanted(self, zone: ZoneInfo, *, now: datetime) -> Wanted:
        """Return what is looked for; only what is valid counts."""
        told = self.cleaned_data
        today = now.astimezone(zone).date()
        until = told.get("until") or max(today, told.get("since") or today)
        since = told.get("since") or until - SHOWN_AT_FIRST
        return Wanted(
            since=datetime.combine(since, time.min, zone),
            until=datetime.combine(until + DAY, time.min, zone),
            action=told.get("action"),
            outcome=told.get("outcome") or "",
        )
