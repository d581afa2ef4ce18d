"""Two days that somebody asks about: each may be left open, neither lies before the other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

FIRST, LAST = date(2000, 1, 1), date(2199, 12, 31)


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class BetweenDaysForm(forms.Form):
    """Both days count. Who inherits says how far apart they may be, and what to say beyond."""

    use_required_attribute = False
    longest: timedelta
    too_long: str | Promise
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
        elif since and until and until - since > self.longest:
            self.add_error("until", str(self.too_long))
        return told
