"""What every kind of resource must answer to be taken in, and what is handed around meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import ValidationError
from django.db.models import Model

from emr.fhir.identity import Identity
from patients.contacts import Phone, parse_phone
from providers.fields import UUIDModel
from providers.models import Clinic

Columns = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that a record was kept without: a short code for counting, words for people."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go, and the system that they come from."""

    clinic: Clinic
    source: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A resource in our columns, by parts that change together; values are JSON or dates."""

    identity: Identity
    parts: Mapping[str, Columns]
    remarks: tuple[Remark, ...] = ()

    def columns(self, parts: Collection[str] | None = None) -> dict[str, Any]:
        chosen = self.parts if parts is None else parts
        return {name: value for part in chosen for name, value in self.parts[part].items()}


@dataclass(frozen=True, slots=True)
class Taken:
    """The row that a resource became, and what was remarked while writing it."""

    row: UUIDModel
    remarks: tuple[Remark, ...] = ()


class Intake(Protocol):
    """One kind of resource. All three verbs raise Refused for a record that is not taken."""

    @property
    def model(self) -> type[UUIDModel]: ...

    def read(self, identity: Identity, resource: Mapping[str, Any]) -> Reading: ...

    def create(self, reading: Reading, *, target: Target) -> Taken: ...

    def update(
        self, row: Any, reading: Reading, *, parts: Collection[str], target: Target
    ) -> Taken:
        """Write the parts that changed at the source to the row."""

    def check(self, row: Any, *, target: Target) -> None:
        """Refuse a row that this target may not touch."""


def save_changes(row: Model, columns: Columns) -> None:
    """Write only the columns whose value differs from the row's."""
    changed = [name for name, value in columns.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, columns[name])
    if changed:
        row.save(update_fields=changed)


def best_phone(written: Collection[str]) -> Phone | None:
    """Return the first number that can be texted, else the first that can be called at all."""
    possible = [phone for text in written if (phone := _phone(text))]
    return min(possible, key=lambda phone: not phone.is_textable, default=None)


def _phone(text: str) -> Phone | None:
    try:
        return parse_phone(text)
    except ValidationError:
        return None
