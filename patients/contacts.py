"""Phone numbers and e-mail addresses in the one form in which they are kept and compared."""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

OFF = "reminders.channels.off.Off"


def can_text() -> bool:
    """Say whether this site sends text messages at all."""
    return bool(settings.CHANNELS["SMS"] != OFF)


def column_of(contact: str) -> str:
    """Return which column of a patient's record holds a normalised contact: email or phone."""
    return "email" if "@" in contact else "phone"


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in E.164 form. One that is merely possible (555…) can be called, not texted."""

    number: str
    is_textable: bool


def parse_phone(text: str) -> Phone:
    """Return the number that was written; raises ValidationError where none can be meant."""
    try:
        parsed = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException as error:
        raise ValidationError(_("Enter a phone number, for example 212 555 0134.")) from error
    if not phonenumbers.is_possible_number(parsed):
        raise ValidationError(_("This phone number has too few or too many digits."))
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return Phone(number=number, is_textable=phonenumbers.is_valid_number(parsed))


def show_phone(number: str) -> str:
    """Return a kept number as people of its country write it."""
    if not number:
        return ""
    try:
        parsed = phonenumbers.parse(number, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return number
    home = phonenumbers.region_code_for_number(parsed) == settings.PHONE_REGION
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, style.NATIONAL if home else style.INTERNATIONAL)


def parse_email(text: str) -> str:
    """Return the address in lower case; raises ValidationError where it is none."""
    address = text.strip().lower()
    validate_email(address)
    return address
