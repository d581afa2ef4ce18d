"""Columns that hold what patients told us. Queries cannot look inside them.

The database must never be asked to compare, sort or search such a value, so every look-up but
`isnull` is refused here; what has to be found again has a blind index beside it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.exceptions import FieldError
from django.db import models


class SealedMixin:
    """Refuses every look-up except `isnull`."""

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)  # type: ignore[misc]
        raise FieldError(
            f"{self.name} is sealed: {lookup_name!r} would look inside it."  # type: ignore[attr-defined]
        )

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(
            f"{self.name} is sealed: {lookup_name!r} would look inside it."  # type: ignore[attr-defined]
        )


class SealedTextField(SealedMixin, models.TextField[str, str]):
    """Text about a patient."""


class SealedDateField(SealedMixin, models.DateField[date | None, date | None]):
    """A date about a patient, kept as ISO text so that its column can be sealed like any other."""

    def db_type(self, connection: Any) -> str:
        return "text"

    def from_db_value(self, value: str | None, *_args: Any) -> date | None:
        return None if value is None else date.fromisoformat(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> str | None:  # noqa: FBT001, FBT002
        day = self.to_python(value)
        return None if day is None else day.isoformat()
