"""What a privacy officer looks for in the record: days on the clinic's clock, an act, an end."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.models.audit import Act, Outcome
from patients.privacy.reports import Wanted

DAY = timedelta(days=1)
SHOWN_AT_FIRST = timedelta(days=6)
LONGEST = timedelta(days=366)
FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class RecordForm(forms.Form):
    """The last seven days where nothing is asked for; a year at most."""

    use_required_attribute = False
    since = _day(gettext_lazy("From"))
    until = _day(gettext_lazy("To"))
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

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        since, until = told.get("since"), told.get("until")
        for day in filter(None, (since, until)):
            if not FIRST <= day <= LAST:
                raise forms.ValidationError(_("Enter days of this century."))
        if since and until and until < since:
            self.add_error("until", _("The last day is before the first."))
        elif since and until and until - since > LONGEST:
            self.add_error("until", _("Ask for a year at most."))
        return told

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
