"""Moves what belongs to one patient's record over to another's, and remembers each row by its id.

The same handlers join two records and take them apart: to join, everything of `source` goes to
`target`; to take apart, only the rows of which `only` says that the joining moved them. Knows no
table: apps name theirs in settings.MERGE_HANDLERS. Updates go past the audit library's signals on
purpose: the act has one row of its own, which names both patients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db.models import Model, QuerySet
from django.utils.module_loading import import_string

Ids = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Changed:
    """A column of a row that was replaced, in values that JSON has."""

    label: str
    pk: str
    column: str
    was: Any
    became: Any

    def take_back(self) -> bool:
        """Write the old value where the new one still stands; say whether it did."""
        model = apps.get_model(self.label)
        row = model._default_manager.select_for_update(no_key=True).filter(pk=self.pk).first()
        if row is None or _plain(getattr(row, self.column)) != self.became:
            return False
        setattr(row, self.column, model._meta.get_field(self.column).to_python(self.was))
        row.save(update_fields=[self.column])
        return True

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Repointing:
    """One way from a record to another; filled by the handlers with what they did."""

    source: UUID
    target: UUID
    at: datetime
    only: Ids | None = None
    moved: dict[str, list[str]] = field(default_factory=dict)
    changes: list[Changed] = field(default_factory=list)

    @property
    def is_joining(self) -> bool:
        return self.only is None

    def move(self, rows: QuerySet[Any], *, column: str = "patient_id", **also: Any) -> list[UUID]:
        """Let these rows of the source be the target's; return their ids in order.

        `also` are further values to write, expressions too.
        """
        found = self.concerned(rows.filter(**{column: self.source}))
        rows.model._default_manager.filter(pk__in=found, **{column: self.source}).update(
            **{column: self.target}, **also
        )
        self.note_moved(rows.model, found)
        return found

    def concerned(self, rows: QuerySet[Any]) -> list[UUID]:
        """Return the ids of rows to move: all, or those that were moved before."""
        if self.only is not None:
            rows = rows.filter(pk__in=self.only.get(rows.model._meta.label_lower, []))
        return list(rows.order_by("pk").values_list("pk", flat=True))

    def note_moved(self, model: type[Model], ids: Sequence[Any]) -> None:
        """Remember rows that a handler moved by a statement of its own."""
        if ids:
            self.moved.setdefault(model._meta.label_lower, []).extend(str(pk) for pk in ids)

    def change(self, row: Model, **values: Any) -> None:
        """Replace values of a row by others, so that the old ones come back when records part."""
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differing.items():
            was, became = _plain(getattr(row, name)), _plain(value)
            self.changes.append(Changed(row._meta.label_lower, str(row.pk), name, was, became))
            setattr(row, name, value)
        if differing:
            row.save(update_fields=list(differing))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | bool) else str(value)


Handler = Callable[[Repointing], None]


@lru_cache(maxsize=4)
def _handlers(paths: tuple[str, ...]) -> tuple[Handler, ...]:
    return tuple(import_string(path) for path in paths)


def repoint(way: Repointing) -> None:
    """Call every handler in settings.MERGE_HANDLERS, in order; one that fails undoes the act."""
    for handler in _handlers(tuple(settings.MERGE_HANDLERS)):
        handler(way)
