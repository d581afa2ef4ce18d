"""Which of two records stays, and what it takes from the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy

from patients.merging import PARTS

ONE, OTHER = "one", "other"
EITHER = [(ONE, ONE), (OTHER, OTHER)]


class CompareForm(forms.Form):
    """`keep` is the record that stays; each part that differs is chosen from one of the two."""

    keep = forms.ChoiceField(
        label=gettext_lazy("Which record stays"),
        choices=EITHER,
        error_messages={"required": gettext_lazy("Choose the record that stays.")},
    )

    def __init__(self, data: QueryDict | None, *, parts: Iterable[str]) -> None:
        super().__init__(data)
        for part in parts:
            self.fields[part] = forms.ChoiceField(choices=EITHER, required=False)

    def take(self) -> list[str]:
        """Return what the record that stays takes from the other; only of a valid form."""
        told = self.cleaned_data
        return [part for part in PARTS if told.get(part, "") not in {"", told["keep"]}]


class JoinForm(forms.Form):
    """What was chosen, on its way through the check page; `seen` are the records' stamps."""

    keep = forms.ChoiceField(choices=EITHER)
    take = forms.MultipleChoiceField(choices=[(part, part) for part in PARTS], required=False)
    seen_keep = forms.CharField(max_length=64, required=False)
    seen_away = forms.CharField(max_length=64, required=False)

    def clean(self) -> dict[str, Any]:
        """Keep parts in one order, whatever the address says."""
        told: dict[str, Any] = super().clean() or {}
        return told | {"take": [part for part in PARTS if part in told.get("take", [])]}
