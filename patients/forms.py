"""What patients type to sign in. Knows nothing of who is on file."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_stubs_ext import StrOrPromise

from patients.contacts import Phone, can_text, parse_email, parse_phone


def _label() -> str:
    return _("E-mail address or mobile number") if can_text() else _("E-mail address")


def _is_missing() -> str:
    if can_text():
        return _("Enter your e-mail address or mobile number.")
    return _("Enter your e-mail address.")


class ContactField(forms.CharField):
    """An e-mail address or a mobile number in its normalised form, whoever's it is.

    Numbers are taken where this site sends text messages; elsewhere people are told why not.
    """

    def __init__(self, *, help_text: StrOrPromise = "") -> None:
        attributes = {
            "autocomplete": "email",
            "inputmode": "email",
            "autocapitalize": "none",
            "spellcheck": "false",
        }
        super().__init__(
            label=lazy(_label, str)(),
            help_text=help_text,
            max_length=254,
            widget=forms.TextInput(attrs=attributes),
            error_messages={"required": lazy(_is_missing, str)()},
        )

    def clean(self, value: str) -> str:
        text: str = super().clean(value)
        phone = None if "@" in text else _phone(text)
        if phone is not None:
            return _textable(phone)
        try:
            return parse_email(text)
        except ValidationError as error:
            raise ValidationError(
                _("Enter an e-mail address like name@example.com."), code="invalid"
            ) from error


def _phone(text: str) -> Phone | None:
    try:
        return parse_phone(text)
    except ValidationError:
        return None


def _textable(phone: Phone) -> str:
    if not can_text():
        raise ValidationError(_("We cannot send text messages. Enter your e-mail address instead."))
    if not phone.is_textable:
        raise ValidationError(
            _("We cannot send a text message to this number. Check it, or use your e-mail address.")
        )
    return phone.number


class ContactForm(forms.Form):
    """Where a sign-in code is sent to."""

    use_required_attribute = False
    contact = ContactField(help_text=gettext_lazy("The one that you gave to the clinic."))


class CodeForm(forms.Form):
    """A one-time code, as typed or pasted; spaces and dashes do not matter."""

    use_required_attribute = False
    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("8 digits, for example 1234 5678."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "short"}
        ),
        error_messages={"required": gettext_lazy("Enter the code from the message.")},
    )
