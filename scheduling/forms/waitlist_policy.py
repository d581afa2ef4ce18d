"""The set-up form of how freed time is offered: its words, and what cannot be together."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from scheduling.models import WaitlistPolicy


class WaitlistPolicyForm(forms.ModelForm[WaitlistPolicy]):
    """Lengths are in minutes."""

    class Meta:
        model = WaitlistPolicy
        fields = (
            "clinic",
            "visit_type",
            "mode",
            "window_minutes",
            "shortest_window_minutes",
            "spacing_divisor",
            "shortest_spacing_minutes",
            "longest_spacing_minutes",
            "most_offers_a_day",
        )
        labels = {
            "visit_type": _("Visits that free the time"),
            "mode": _("Offer freed time"),
            "window_minutes": _("An offer is one patient's alone for (minutes)"),
            "shortest_window_minutes": _("Shortest time to answer (minutes)"),
            "spacing_divisor": _("Offers spread over the time that is left"),
            "shortest_spacing_minutes": _("Least time between two offers (minutes)"),
            "longest_spacing_minutes": _("Most time between two offers (minutes)"),
            "most_offers_a_day": _("Most offers in a day"),
        }
        help_texts = {
            "visit_type": _("Leave empty for all visits that have no row of their own."),
            "window_minutes": _(
                "Then it goes to the next one. Hours in which the patient may not be contacted do "
                "not count."
            ),
            "shortest_window_minutes": _(
                "Whoever would have less, because the visit is near, gets no offer."
            ),
            "spacing_divisor": _(
                "48 means: with 48 hours left, the next offer goes out an hour after the last."
            ),
        }

    def clean(self) -> dict[str, Any] | None:
        """Say in words what the database would refuse."""
        told = super().clean()
        self._check_order(
            "shortest_window_minutes",
            "window_minutes",
            _("The shortest time to answer cannot be longer than the usual one."),
        )
        self._check_order(
            "shortest_spacing_minutes",
            "longest_spacing_minutes",
            _("The least time between two offers cannot be longer than the most."),
        )
        return told

    def _check_order(self, lesser: str, greater: str, words: Any) -> None:
        least, most = self.cleaned_data.get(lesser), self.cleaned_data.get(greater)
        if least is not None and most is not None and least > most:
            self.add_error(lesser, words)
