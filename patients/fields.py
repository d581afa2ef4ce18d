"""Columns that hold what patients told us, sealed. Queries cannot look inside them.

A value is sealed as its row is written, under the row's id, and opened when it is first read
from an instance, which is noted in the record of looks. What has to be found has a blind index.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.expressions import Col
from django.db.models.sql.compiler import SQLUpdateCompiler

from patients import looks, secrets
from patients.crypto import Cipher
from patients.sealed import Sealed, SealedRow, SealedValue, is_assigned


class SealedColumn(Col):
    """A sealed column in a query: it may be loaded into an instance, and nothing else."""

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        query = compiler.query
        is_loaded = (
            query.default_cols
            and compiler.select is None  # only what is compiled first is selected
            and not isinstance(compiler, SQLUpdateCompiler)
            and not any(
                self is part
                for annotation in query.annotations.values()
                for part in annotation.flatten()
            )
        )
        if not is_loaded:
            raise FieldError(f"{self.target.name} is sealed: no query can name it.")
        return super().as_sql(compiler, connection)


SetType = TypeVar("SetType")
GetType = TypeVar("GetType")


def _as_stored(value: str | None, _expression: Any, _connection: Any) -> Sealed | None:
    return None if value is None else Sealed(value)


class SealedMixin(models.Field[SetType, GetType]):
    """Seals a column; refuses to compare, sort, search or set it in the database."""

    descriptor_class = SealedValue
    _known: tuple[str, Cipher | None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serialize"] = False  # a dump of rows has no place for it, sealed or open
        super().__init__(*args, **kwargs)

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Refuse a sealed column on a model that does not say whose data it holds."""
        problems: list[checks.CheckMessage] = super().check(**kwargs)
        if not issubclass(self.model, SealedRow):
            problems.append(checks.Error("A sealed column needs a SealedRow.", obj=self))
        return problems

    def contribute_to_class(
        self,
        cls: type[models.Model],
        name: str,
        private_only: bool = False,  # noqa: FBT001, FBT002
        **kwargs: Any,
    ) -> None:
        self._known = ("", None)  # a copy seals for a model of its own
        super().contribute_to_class(cls, name, private_only=private_only, **kwargs)

    @property
    def cipher(self) -> Cipher:
        """What seals this column, under the keys that the settings name now."""
        keys, known = self._known
        if known is None or keys is not settings.DATA_KEYS:
            known = secrets.ring().cipher(f"{self.model._meta.label_lower}.{self.column}")
            self._known = (settings.DATA_KEYS, known)
        return known

    def seal(self, row: UUID, value: Any) -> str:
        """Return what is stored of a value in the row of this id."""
        return self.cipher.seal(self.to_text(value), row.bytes)

    def open(self, row: UUID, stored: str) -> Any:
        """Return the value that was stored in the row of this id. Notes nothing.

        Raises NotSealed, UnknownKey or Tampered.
        """
        return self.from_text(self.cipher.open(stored, row.bytes))

    def opener(self) -> Callable[[UUID, str], Any]:
        """Return `open` for many rows at once; the field is noted here, the patients are not.

        Raises Unrecorded where no record of it is kept.
        """
        looks.note(None, self.attname)
        unseal, convert = self.cipher.open, self.from_text
        return lambda row, stored: convert(unseal(stored, row.bytes))

    def to_text(self, value: Any) -> str:
        raise NotImplementedError

    def from_text(self, text: str) -> Any:
        raise NotImplementedError

    def is_assigned(self, instance: models.Model) -> bool:
        """Whether the instance holds a value of its own that was not read from its row."""
        return is_assigned(instance, self.attname)

    def pre_save(self, instance: models.Model, add: bool) -> Sealed | None:  # noqa: FBT001
        """Seal what was assigned; the rest goes back as it was stored, under the current key.

        Raises Tampered for a value that was stored in another row.
        """
        value = instance.__dict__.get(self.attname)
        if value.__class__ is Sealed:
            text = self.cipher.open(value.text, instance.pk.bytes)
            if not self.cipher.is_current(value.text):
                value.text = self.cipher.seal(text, instance.pk.bytes)
        elif hasattr(value, "resolve_expression"):
            raise self._refusal("no expression can set it")
        elif value is not None:
            text = self.to_text(value)
            value = Sealed(self.cipher.seal(text, instance.pk.bytes), self.from_text(text))
            instance.__dict__[self.attname] = value
        return value

    def get_db_converters(self, connection: Any) -> list[Callable[..., Sealed | None]]:
        return [_as_stored]

    def get_prep_value(self, value: Any) -> Any:
        """Return what goes into the database: nothing but NULL or a sealed value."""
        if value is None or value.__class__ is Sealed:
            return value
        raise self._refusal("it is written by saving an instance")

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> str | None:  # noqa: FBT001, FBT002
        sealed = self.get_prep_value(value)
        return None if sealed is None else sealed.text

    def get_db_prep_save(self, value: Any, connection: Any) -> str | None:
        if hasattr(value, "as_sql"):
            raise self._refusal("no expression can set it")
        return self.get_db_prep_value(value, connection)

    def get_col(self, alias: str, output_field: Any = None) -> Col:
        """Return the column for a query; with `output_field` a look-up asks, which is checked."""
        if output_field is not None:
            return Col(alias, self, output_field)
        return SealedColumn(alias, self, self)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise self._refusal(f"{lookup_name!r} would look inside it")

    def get_transform(self, lookup_name: str) -> Any:
        raise self._refusal(f"{lookup_name!r} would look inside it")

    def _refusal(self, why: str) -> FieldError:
        return FieldError(f"{self.name} is sealed: {why}.")


class SealedTextField(SealedMixin[str, str], models.TextField[str, str]):
    """Text about a patient. Empty text is sealed like any other; NULL stays NULL."""

    def to_text(self, value: Any) -> str:
        return str(value)

    def from_text(self, text: str) -> str:
        return text


class SealedDateField(
    SealedMixin[date | None, date | None], models.DateField[date | None, date | None]
):
    """A date about a patient, sealed as ISO text."""

    def db_type(self, connection: Any) -> str:
        return "text"

    def to_text(self, value: Any) -> str:
        """Raises ValidationError for what is no date."""
        day: date = self.to_python(value)
        return day.isoformat()

    def from_text(self, text: str) -> date:
        return date.fromisoformat(text)
