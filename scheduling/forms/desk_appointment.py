"""What the desk sends to change a visit: which state of it was seen, and why it is cancelled."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from scheduling.models import CancelReason

BY_HAND = [choice for choice in CancelReason.choices if choice[0] != CancelReason.UNCONFIRMED]


class SeenForm(forms.Form):
    """`version` is the visit's version when the page was rendered."""

    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class CancelForm(SeenForm):
    reason = forms.ChoiceField(
        label=_("Why is it cancelled?"),
        choices=BY_HAND,
        initial=CancelReason.PATIENT_REQUEST,
        widget=forms.RadioSelect,
    )
