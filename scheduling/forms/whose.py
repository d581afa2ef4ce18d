"""Whose record is meant: by a visit's reference, or a full name and a date of birth."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from scheduling.forms.birth import BirthField
from scheduling.references import as_kept, is_reference


class WhoseForm(forms.Form):
    """Posted, so that no name stands in an address."""

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

    def clean_reference(self) -> str:
        """Return the reference as it is kept; what cannot be one is no reference at all."""
        typed = as_kept(self.cleaned_data["reference"])
        if typed and not is_reference(typed):
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
