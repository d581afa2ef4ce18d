"""A date of birth as three boxes that take what people write: 4 or April, 7 or 07."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import MONTHS, MONTHS_3
from django.utils.translation import gettext_lazy as _

OLDEST = 130


class BirthWidget(forms.MultiWidget):
    """Month, day and year, each with a label of its own."""

    template_name = "portal/birth_widget.html"
    use_fieldset = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        boxes = {name: forms.TextInput(attrs={"inputmode": "numeric"}) for name in ("day", "year")}
        super().__init__({"month": forms.TextInput(), **boxes}, attrs)

    def decompress(self, value: date | None) -> list[Any]:
        return [value.month, value.day, value.year] if value else [None, None, None]


class BirthField(forms.MultiValueField):
    """A day that has passed, at most 130 years ago."""

    widget = BirthWidget
    default_error_messages = {
        "required": _("Enter the date of birth, for example April 7 1961."),
        "invalid": _("Enter a real date of birth, for example April 7 1961."),
        "short": _("Enter the year of birth with four digits."),
        "future": _("The date of birth must be in the past."),
        "old": _("Check the year of birth."),
    }

    def __init__(self, **kwargs: Any) -> None:
        parts = tuple(forms.CharField(max_length=12) for _part in range(3))
        super().__init__(parts, require_all_fields=True, **kwargs)

    def clean(self, value: Any) -> date | None:
        try:
            return super().clean(value)  # type: ignore[no-any-return]
        except ValidationError as error:
            blank = not any(value or [])
            code = "required" if blank else getattr(error, "code", None) or "invalid"
            raise self._error(code if code in self.error_messages else "invalid") from error

    def compress(self, data_list: list[str]) -> date | None:
        if not data_list:
            return None
        month, day, year = (part.strip().rstrip(".,") for part in data_list)
        if not (day.isascii() and day.isdigit() and year.isascii() and year.isdigit()):
            raise self._error("invalid")
        if len(year) != 4:
            raise self._error("short")
        try:
            return date(int(year), month_number(month), int(day))
        except ValueError as error:
            raise self._error("invalid") from error

    def validate(self, value: date | None) -> None:
        super().validate(value)
        if value is None:
            return
        today = date.today()  # noqa: DTZ011  # a day either way does not matter here
        if value > today:
            raise self._error("future")
        if today.year - value.year > OLDEST:
            raise self._error("old")

    def _error(self, code: str) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code)


def month_number(text: str) -> int:
    """Return 1 to 12 for "4", "04", "Apr" or "April", in the page's language or in English.

    Raises ValueError for anything else.
    """
    if text.isascii() and text.isdigit():
        return int(text)
    wanted = text.casefold()
    for number in range(1, 13):
        full, short = str(MONTHS[number]).casefold(), str(MONTHS_3[number]).casefold()
        if wanted in {full, short} or wanted in ENGLISH[number - 1]:
            return number
    raise ValueError(text)


ENGLISH = [
    {name, name[:3]}
    for name in (
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    )
]
