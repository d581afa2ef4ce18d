"""What providers type."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

DAY = timedelta(days=1)


class NoteForm(forms.Form):
    """A clinical note; `seen` carries the state of the note that it was written upon."""

    text = forms.CharField(
        label=_("Clinical note"),
        help_text=_(
            "You read it here, and a colleague in an emergency. The front desk never does."
        ),
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    seen = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)


class WeekForm(forms.Form):
    """The week that is asked for, by any of its days."""

    day = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    def clean_day(self) -> date | None:
        """Refuse days so far away that their week would leave the calendar."""
        day: date | None = self.cleaned_data["day"]
        if day and not MINYEAR + 1 < day.year < MAXYEAR - 1:
            raise forms.ValidationError(_("This day is too far away."))
        return day

    def monday(self, today: date) -> date | None:
        """Return the Monday of the week asked for, of this week by default; None if malformed."""
        if not self.is_valid():
            return None
        values: dict[str, Any] = self.cleaned_data
        day: date = values["day"] or today
        return day - day.weekday() * DAY
