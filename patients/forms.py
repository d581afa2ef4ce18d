"""What patients type to sign in. Knows nothing of who is on file."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from patients.contacts import parse_email, parse_phone


class EmailAddressField(forms.CharField):
    """An address in its normalised form; somebody who types a telephone number is told why not."""

    def __init__(self, *, label: StrOrPromise, help_text: StrOrPromise = "") -> None:
        attributes = {
            "type": "email",
            "autocomplete": "email",
            "inputmode": "email",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        super().__init__(
            label=label,
            help_text=help_text,
            max_length=254,
            widget=forms.TextInput(attrs=attributes),
            error_messages={"required": _("Enter your e-mail address.")},
        )

    def clean(self, value: str) -> str:
        text: str = super().clean(value)
        if "@" not in text and _is_phone(text):
            raise ValidationError(
                _("We cannot send text messages yet. Enter your e-mail address instead.")
            )
        try:
            return parse_email(text)
        except ValidationError as error:
            raise ValidationError(
                _("Enter an e-mail address like name@example.com."), code="invalid"
            ) from error


def _is_phone(text: str) -> bool:
    try:
        parse_phone(text)
    except ValidationError:
        return False
    return True


class ContactForm(forms.Form):
    """Where a sign-in code is sent to."""

    use_required_attribute = False
    email = EmailAddressField(
        label=_("E-mail address"), help_text=_("The one that you gave to the clinic.")
    )


class CodeForm(forms.Form):
    """A one-time code, as typed or pasted; spaces and dashes do not matter."""

    use_required_attribute = False
    code = forms.CharField(
        label=_("Code"),
        help_text=_("8 digits, for example 1234 5678."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "short"}
        ),
        error_messages={"required": _("Enter the code from the message.")},
    )
