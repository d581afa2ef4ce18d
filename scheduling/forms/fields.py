"""Form fields for days and instants as addresses carry them; the rest is refused, not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from scheduling.availability import Place

YEARS = range(2000, 2101)
LONGEST_PLACE = 80


class DayField(forms.DateField):
    """A day written 2026-06-09, in a year that a clinic's diary may reach."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%d"], **kwargs)

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day is not None and day.year not in YEARS:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class InstantField(forms.CharField):
    """An instant in ISO 8601 with its offset; the cleaned value is an aware datetime in UTC."""

    default_error_messages = {"invalid": _("Enter a date and time with its offset.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=40, empty_value=None, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return None if text is None else self._instant(text)

    def run_validators(self, value: Any) -> None:
        """The length is checked before parsing; an instant has none."""

    def _instant(self, text: str) -> datetime:
        try:
            when = datetime.fromisoformat(text)
            if when.tzinfo is not None and when.year in YEARS:
                return when.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise self._refusal() from error
        raise self._refusal()

    def _refusal(self) -> ValidationError:
        return ValidationError(self.error_messages["invalid"], code="invalid")


class PlaceField(forms.CharField):
    """A place in the order of free times, from which a page of them goes on."""

    default_error_messages = {"invalid": _("Go back to the first time and look again.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(empty_value=None, strip=False, **kwargs)

    def run_validators(self, value: Any) -> None:
        """A place has been checked as it was read."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text is None:
            return None
        refusal = ValidationError(self.error_messages["invalid"], code="invalid")
        if len(text) > LONGEST_PLACE:
            raise refusal
        try:
            place = Place.parse(text)
        except ValueError as error:
            raise refusal from error
        if place.start.year not in YEARS:
            raise refusal
        return place


class RowField(forms.TypedChoiceField):
    """One of some rows that are at hand: shown and checked without asking for them again."""

    default_error_messages = forms.ModelChoiceField.default_error_messages

    def offer(self, rows: Sequence[Model], *, key: str = "pk", any_label: Any = None) -> None:
        """Let one of these rows be chosen by `key`; `any_label` names that none is."""
        by_key = {str(getattr(row, key)): row for row in rows}
        none = [] if any_label is None else [("", any_label)]
        self.choices = [*none, *((value, str(row)) for value, row in by_key.items())]
        self.coerce = by_key.__getitem__


class SlotField(forms.CharField):
    """A free time of a provider as one value; cleaned to (the provider's id, the UTC instant)."""

    default_error_messages = {"invalid": _("Choose one of the times.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=80, empty_value=None, **kwargs)

    def run_validators(self, value: Any) -> None:
        """Whatever parses is short enough."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text is None:
            return None
        provider, _between, start = text.partition("|")
        try:
            return UUID(provider), InstantField().clean(start)
        except (ValueError, ValidationError) as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


def slot_value(*, provider: UUID, start: datetime) -> str:
    """Return what a SlotField reads."""
    return f"{provider}|{start.astimezone(UTC).isoformat()}"
