"""Writes a row of the audit for every change of the models that settings name, in its transaction.

The audit library keeps which models are watched; the rows are ours: values of plain columns as
they were and are, of sealed columns the names alone. Bulk writes are not seen: they record
themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from auditlog.registry import AuditlogModelRegistry
from django.apps import apps
from django.conf import settings
from django.db.models import BinaryField, Field, Model
from django.db.models.signals import post_delete, post_save, pre_save

from patients.fields import SealedMixin
from patients.models.audit import Act
from patients.models.people import Patient
from patients.privacy.audit import record
from patients.sealed import Sealed
from providers.models import Clinic

Changes = dict[str, list[str | None]]


def watch() -> None:
    """Watch the models in settings.AUDITED_MODELS: {label: columns that say nothing, by name}."""
    watched: Mapping[str, Iterable[str]] = settings.AUDITED_MODELS
    for label, silent in watched.items():
        registry.register(apps.get_model(label), exclude_fields=list(silent))


def _on_create(sender: type[Model], instance: Model, created: bool, **_kwargs: Any) -> None:  # noqa: FBT001
    if created:
        _write(Act.CREATE, instance, *_difference(None, instance, _columns(sender)))


def _on_update(
    sender: type[Model],
    instance: Model,
    update_fields: Iterable[str] | None = None,
    **_kwargs: Any,
) -> None:
    """Compare with the row as it stands. Columns that are not written cannot have changed."""
    if instance._state.adding:
        return
    written = None if update_fields is None else set(update_fields)
    columns = [
        column
        for column in _columns(sender)
        if written is None or column.name in written or column.attname in written
    ]
    if not columns:
        return
    before = sender._base_manager.filter(pk=instance.pk).first()
    if before is None:
        return
    changes, names = _difference(before, instance, columns)
    if names:
        _write(Act.UPDATE, instance, changes, names)


def _on_delete(sender: type[Model], instance: Model, **_kwargs: Any) -> None:
    _write(Act.DELETE, instance, *_difference(instance, None, _columns(sender)))


def _columns(model: type[Model]) -> list[Field[Any, Any]]:
    """Return the columns whose changes are told; digests never are."""
    silent = registry.get_model_fields(model)["exclude_fields"]
    return [
        column
        for column in model._meta.concrete_fields
        if column.name not in silent and not isinstance(column, BinaryField)
    ]


def _difference(
    before: Model | None, after: Model | None, columns: Iterable[Field[Any, Any]]
) -> tuple[Changes, list[str]]:
    """Return what differs: the values of plain columns, and the names of all that do."""
    changes: Changes = {}
    names = []
    for column in columns:
        if isinstance(column, SealedMixin):
            if _sealed_differs(column, before, after):
                names.append(column.name)
            continue
        was, now = _plain(column, before), _plain(column, after)
        if was != now:
            changes[column.name] = [was, now]
            names.append(column.name)
    return changes, names


def _plain(column: Field[Any, Any], row: Model | None) -> str | None:
    """Return a plain column's value as text; None where it is empty."""
    value = None if row is None else column.value_from_object(row)
    return None if value is None or value == "" else str(value)


def _sealed_differs(
    column: SealedMixin[Any, Any], before: Model | None, after: Model | None
) -> bool:
    """Whether a sealed value changes. Nothing that is compared here is shown to anybody."""
    old, new = (row and row.__dict__.get(column.attname) for row in (before, after))
    if isinstance(old, Sealed) and isinstance(new, Sealed):
        return old.text != new.text
    return bool(_open(column, before, old) != _open(column, after, new))


def _open(column: SealedMixin[Any, Any], row: Model | None, value: Any) -> str:
    if isinstance(value, Sealed):
        value = column.open(row.pk, value.text)  # type: ignore[union-attr]
    return "" if value is None else str(value)


def _write(act: Act, row: Model, changes: Changes, names: list[str]) -> None:
    record(
        action=act,
        patients=_people(row),
        about=row,
        fields=names,
        changes=changes or None,
        clinic=row if isinstance(row, Clinic) else getattr(row, "clinic_id", None),
    )


def _people(row: Model) -> list[UUID]:
    """Return whose data a row holds or opens to somebody."""
    person = getattr(row, "about_patient", None) or getattr(row, "patient_id", None)
    if person is None and isinstance(getattr(row, "content_object", None), Patient):
        person = row.content_object_id  # type: ignore[attr-defined]
    return [person] if isinstance(person, UUID) else []


registry = AuditlogModelRegistry(
    access=False,
    m2m=False,
    custom={post_save: _on_create, pre_save: _on_update, post_delete: _on_delete},
)
