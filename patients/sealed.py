"""What an instance holds of its sealed columns: a value stays sealed until somebody reads it.

Reading is noted in the record of looks. How a value is sealed, and for which column, is the
field's to know.
"""

from __future__ import annotations

from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, models, transaction

from patients import looks
from providers.fields import UUIDModel

_UNOPENED: Any = object()
_moving: ContextVar[bool] = ContextVar("moving", default=False)


class Opens(Protocol):
    """What a field does for its attribute."""

    attname: str

    def open(self, row: UUID, stored: str) -> Any: ...


class Sealed:
    """A value as it is stored, and what it was once opened. Shows neither, and pickles sealed."""

    __slots__ = ("opened", "text")

    def __init__(self, text: str, opened: Any = _UNOPENED) -> None:
        self.text = text
        self.opened = opened

    def __repr__(self) -> str:
        return "<sealed>"

    def __reduce__(self) -> tuple[type[Sealed], tuple[str]]:
        return Sealed, (self.text,)


class SealedValue:
    """The attribute of a sealed column: opens what was loaded when it is read, and notes it."""

    def __init__(self, field: Opens) -> None:
        self.field = field
        self.name = field.attname

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        values = instance.__dict__
        if self.name not in values:
            values[self.name] = self._load(instance)
        value = values[self.name]
        if value.__class__ is not Sealed or _moving.get():
            return value
        if value.opened is _UNOPENED:
            looks.note(instance.about_patient, self.name)  # type: ignore[attr-defined]
            value.opened = self.field.open(instance.pk, value.text)
        return value.opened

    def __set__(self, instance: models.Model, value: Any) -> None:
        values = instance.__dict__
        if value.__class__ is not Sealed:
            known = values.get(self.name)
            if known.__class__ is Sealed and known.opened == value:
                return  # nothing new: it stays as it is stored
        values[self.name] = value

    def _load(self, instance: models.Model) -> Any:
        """Return a deferred column's value, still sealed."""
        rows = type(instance)._base_manager.db_manager(instance._state.db)
        return rows.only(self.name).get(pk=instance.pk).__dict__[self.name]


class SealedRow(UUIDModel):
    """A row with sealed columns. Its id is made before it is written, and never changes."""

    class Meta:
        abstract = True

    @property
    def about_patient(self) -> UUID | None:
        """Whose data the sealed columns hold; None where it is nobody's on file."""
        raise NotImplementedError

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row and what the audit is told of it: both, or neither."""
        with nullcontext() if connection.in_atomic_block else transaction.atomic():
            super().save(*args, **kwargs)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Read the row again; sealed columns stay sealed until they are read."""
        token = _moving.set(True)
        try:
            super().refresh_from_db(*args, **kwargs)
        finally:
            _moving.reset(token)


def is_assigned(instance: models.Model, name: str) -> bool:
    """Whether an instance holds a value of its own in a column, which was not read from its row."""
    value = instance.__dict__.get(name, _UNOPENED)
    return value is not _UNOPENED and value.__class__ is not Sealed
