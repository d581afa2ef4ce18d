"""What patients type to cancel a visit or to get its link again."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.forms import ContactField
from scheduling.models import CancelReason
from scheduling.references import is_reference


class ConfirmForm(forms.Form):
    """`sequence` tells which time and place the patient was shown: it rises with every move."""

    sequence = forms.IntegerField(min_value=0, max_value=2**31 - 1)


class CancelForm(forms.Form):
    """Why a patient cancels. They need not say."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why do you cancel?"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            (CancelReason.PATIENT_REQUEST, gettext_lazy("I cannot come then")),
            (CancelReason.PATIENT_BETTER, gettext_lazy("I do not need it any more")),
            (CancelReason.OTHER, gettext_lazy("Another reason")),
        ],
    )

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"] or CancelReason.PATIENT_REQUEST.value


class LostLinkForm(forms.Form):
    """Which visit, and an address or number that the clinic should know."""

    use_required_attribute = False
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        help_text=gettext_lazy(
            "8 letters and digits, from the page or the message about your visit."
        ),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={"required": gettext_lazy("Enter the reference.")},
    )
    contact = ContactField()

    def clean_reference(self) -> str:
        """Return it as it is kept, however it was typed: "7k4m-2bcd" → "7K4M2BCD"."""
        typed = "".join(c for c in self.cleaned_data["reference"].upper() if c not in " -")
        if not is_reference(typed):
            raise ValidationError(
                _("A reference has 8 letters and digits. It has no vowels and no 0 or 1.")
            )
        return typed
