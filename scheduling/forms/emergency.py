"""What somebody says who needs a record now: whose, what for, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.emergency import PURPOSES
from patients.models import BreakGlassGrant, GrantKind
from scheduling.forms.birth import BirthField
from scheduling.models.appointment import REFERENCE_ALPHABET

REFERENCE_LENGTH = 8
SHORTEST_REASON = 10


class OpenForm(forms.Form):
    """A visit's reference, or a full name with a date of birth; a purpose; a reason in words."""

    use_required_attribute = False
    reference = forms.CharField(
        label=_("Visit reference"),
        required=False,
        max_length=20,
        help_text=_("Or leave this empty and fill in the name and the date of birth."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "w-10"}),
    )
    given_name = forms.CharField(
        label=_("First name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    family_name = forms.CharField(
        label=_("Last name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    dob = BirthField(label=_("Date of birth"), required=False)
    purpose = forms.ChoiceField(
        label=_("What is it for?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what it is for.")},
    )
    reason = forms.CharField(
        label=_("Why is it needed now?"),
        help_text=_("A privacy officer reads this. A sentence is enough."),
        min_length=SHORTEST_REASON,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Say why it is needed."),
            "min_length": _("Say it in a few words more."),
        },
    )

    def __init__(self, *args: Any, kind: GrantKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [  # type: ignore[attr-defined]
            (name, BreakGlassGrant.Purpose(name).label) for name in PURPOSES[kind]
        ]

    def clean_reference(self) -> str:
        """Return the reference as it is kept; what cannot be one is no reference at all."""
        typed = "".join(self.cleaned_data["reference"].replace("-", "").upper().split())
        if typed and (len(typed) != REFERENCE_LENGTH or set(typed) - set(REFERENCE_ALPHABET)):
            raise forms.ValidationError(
                _("A reference has eight letters and digits, for example 7KX2M9QD.")
            )
        return typed

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if "reference" in self.errors or "dob" in self.errors or told.get("reference"):
            return told
        if not (told.get("given_name") and told.get("family_name") and told.get("dob")):
            raise forms.ValidationError(
                _("Enter a visit reference, or the full name and the date of birth.")
            )
        return told
