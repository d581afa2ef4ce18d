"""Where a visit is to go, and the series' dates: one choice of a free time for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scheduling.desk_words import day_name
from scheduling.forms.desk_appointment import SeenForm
from scheduling.forms.fields import InstantField, SlotField
from scheduling.models import OverrideReason
from scheduling.presenters import clock
from scheduling.series import SeriesDate

NONE = ""


class MoveForm(SeenForm):
    use_required_attribute = False
    slot = SlotField(error_messages={"required": gettext_lazy("Choose a new time.")})
    override = forms.ChoiceField(
        label=gettext_lazy("Why is it moved all the same?"),
        choices=OverrideReason.choices,
        required=False,
    )


class SeriesForm(forms.Form):
    """One select for each date: its own time where that is free, the nearest others, or none."""

    use_required_attribute = False
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, dates: Sequence[SeriesDate], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, one in enumerate(dates):
            self.fields[f"date_{number}"] = forms.TypedChoiceField(
                label=day_name(one.day),
                choices=[*map(_choice, one.offered), (NONE, _("Leave out"))],
                coerce=InstantField().clean,
                empty_value=None,
                initial=one.wanted.isoformat() if one.is_free else NONE,
                required=False,
                help_text="" if one.is_free else _not_free(one),
            )

    def starts(self) -> list[datetime]:
        """Return the starts chosen, in UTC."""
        dates = (value for name, value in self.cleaned_data.items() if name.startswith("date_"))
        return [start for start in dates if start is not None]

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if not self.errors and not self.starts():
            raise forms.ValidationError(_("Choose at least one date."))
        return told


def _choice(local: datetime) -> tuple[str, str]:
    return local.isoformat(), clock(local)


def _not_free(one: SeriesDate) -> str:
    if one.offered:
        return _("%(time)s is not free on this day.") % {"time": one.clock_wanted}
    return _("Nothing is free on this day.")
