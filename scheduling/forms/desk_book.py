"""Quick book's form: the type is proposed, so that Enter books; the rest may stay as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from providers.models import VisitType
from scheduling.forms.fields import SlotField
from scheduling.models import OverrideReason

REPEATS = {"1": _("every week"), "2": _("every 2 weeks"), "4": _("every 4 weeks")}
MOST_REPEATS = 26


class RepeatForm(forms.Form):
    """How often a visit is repeated: every so many weeks, so many times in all."""

    use_required_attribute = False
    every = forms.TypedChoiceField(label=_("Repeat"), choices=list(REPEATS.items()), coerce=int)
    times = forms.IntegerField(
        label=_("Visits in all"),
        min_value=2,
        max_value=MOST_REPEATS,
        initial=4,
        widget=forms.NumberInput(attrs={"class": "w-4"}),
    )


class KindField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the types that are at hand: they are not asked for again."""

    kinds: list[VisitType]

    def to_python(self, value: Any) -> VisitType | None:
        if value in self.empty_values:
            return None
        kind = next((kind for kind in self.kinds if kind.code == value), None)
        if kind is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], "invalid_choice")
        return kind


class BookForm(forms.Form):
    """`instead` is another free time, taken by one click; `override` says why a rule is lifted."""

    use_required_attribute = False
    key = forms.CharField(max_length=64, widget=forms.HiddenInput)
    type = KindField(
        VisitType.objects.none(),
        label=_("Type of visit"),
        to_field_name="code",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a type of visit.")},
    )
    reason = forms.CharField(
        label=_("Reason for the visit"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    override = forms.ChoiceField(
        label=_("Why is it booked all the same?"), choices=OverrideReason.choices, required=False
    )
    overbook = forms.BooleanField(required=False, widget=forms.HiddenInput)
    instead = SlotField(required=False)

    def __init__(
        self, *args: Any, kinds: Iterable[VisitType], asks_why: bool = True, **kwargs: Any
    ) -> None:
        """`asks_why` is False for those who must not know why a patient comes."""
        super().__init__(*args, **kwargs)
        if not asks_why:
            del self.fields["reason"]
        self.kinds = list(kinds)
        known = VisitType.objects.filter(pk__in=[kind.pk for kind in self.kinds])
        self.fields["type"].queryset = known  # type: ignore[attr-defined]
        self.fields["type"].kinds = self.kinds  # type: ignore[attr-defined]
