"""Proves that the database at hand is what a manifest says, guarded as it says, and that the site
could go on with it: migrated, readable with the keys at hand, its record of looks intact, its
outboxes held. Knows nothing of how it came here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django_q.brokers import get_broker

from config.backup import manifest
from config.backup.errors import BackupFailed
from config.backup.manifest import Guard, Manifest
from config.backup.programs import Target
from patients import outboxes, sentinel
from patients.crypto import SealBroken
from patients.fields import SealedMixin
from patients.indexes import SOURCES, contact_indexes, normal
from patients.models import Patient
from patients.privacy import audit, verify

M = TypeVar("M", bound=models.Model)
SAMPLE = 25
SEQUENCES = """
SELECT s.relname, t.relname, a.attname FROM pg_class s
JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE s.relkind = 'S' AND s.relnamespace = 'public'::regnamespace
"""


def prove(expected: Manifest, *, copy: Target) -> dict[str, Any]:
    """Return the figures of a database that holds what it should; raises BackupFailed otherwise.

    `copy` is the same database that Django's default connection leads to. It is migrated to the
    code at hand after its rows were compared.
    """
    with copy.connect() as link:
        found = manifest.take(link)
    compare(expected, found)
    _sequences_are_ahead()
    migrated = _migrate()
    opened = _open_samples()
    verdict = _audit_chain(sealed=bool(expected.audit_head))
    _held()
    return {
        "tables": len(found.tables),
        "rows": sum(rows.count for rows in found.tables.values()),
        "guards": len(found.guards),
        "migrated": migrated,
        "sealed_values_opened": opened,
        "audit": verdict,
    }


def compare(expected: Manifest, found: Manifest) -> None:
    """Raise BackupFailed of the first table or guard that is not what it was."""
    _same_rows(expected, found)
    _same_guards(expected, found)
    if found.audit_head != expected.audit_head:
        raise BackupFailed("The last seal of the record of looks is another than in the backup.")


def _same_rows(expected: Manifest, found: Manifest) -> None:
    if gone := sorted(expected.tables.keys() ^ found.tables.keys()):
        raise BackupFailed(f"Table {gone[0]} is in only one of backup and copy.")
    for name, rows in expected.tables.items():
        restored = found.tables[name]
        if restored.count != rows.count:
            raise BackupFailed(f"Table {name} has {restored.count} rows instead of {rows.count}.")
        if restored.digest != rows.digest:
            raise BackupFailed(f"Table {name} has the right number of rows, but other ones.")


def _same_guards(expected: Manifest, found: Manifest) -> None:
    restored = {str(guard): guard for guard in found.guards}
    for guard in expected.guards:
        twin = restored.pop(str(guard), None)
        if twin is None:
            raise BackupFailed(f"The {guard} is missing.")
        _is_same(guard, twin, compare_words=expected.server_major == found.server_major)
    if restored:
        raise BackupFailed(f"The {next(iter(restored))} was not in the backup.")


def _is_same(guard: Guard, twin: Guard, *, compare_words: bool) -> None:
    """Another major version may word a definition otherwise; the name and the state stay."""
    if not twin.is_sound:
        raise BackupFailed(f"The {twin} is switched off or not valid.")
    if compare_words and twin.meaning != guard.meaning:
        raise BackupFailed(f"The {twin} is defined otherwise than in the backup.")


def _sequences_are_ahead() -> None:
    """Refuse a sequence whose next number is taken: the first new row would fail."""
    with connection.cursor() as cursor:
        cursor.execute(SEQUENCES)
        quote = connection.ops.quote_name
        for sequence, table, column in cursor.fetchall():
            cursor.execute(
                f"SELECT coalesce(max({quote(column)}), 0) > (SELECT last_value "  # noqa: S608
                f"FROM {quote(sequence)}) FROM {quote(table)}"
            )
            if cursor.fetchone()[0]:
                raise BackupFailed(f"The sequence {sequence} is behind its table.")


def _migrate() -> int:
    """Bring an older backup up to the code; return the number of migrations that it took."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    known = {name for name in graph.nodes if name in executor.loader.disk_migrations}
    ours = {app for app, _name in known}
    if later := sorted(
        name for name in executor.loader.applied_migrations if name[0] in ours and name not in known
    ):
        raise BackupFailed(f"The backup is of later code: it has the migration {later[0]}.")
    plan = executor.migration_plan(graph.leaf_nodes())
    if plan:
        call_command("migrate", verbosity=0)
    return len(plan)


def _open_samples() -> int:
    """Open values of every sealed column; raises BackupFailed of the first that does not open, or
    that its patient could not be found by."""
    try:
        sentinel.prove()
    except sentinel.WrongKeys as error:
        raise BackupFailed(str(error)) from error
    opened = 0
    with audit.keeping_record(system="system:restore-drill", purpose="restore_drill"):
        for model, field in sealed_columns():
            for row in _sample(model, field):
                try:
                    getattr(row, field)
                except SealBroken as error:
                    raise BackupFailed(
                        f"{model._meta.label}.{field} cannot be opened ({type(error).__name__})."
                    ) from None
                opened += 1
        _find_samples()
    return opened


def _find_samples() -> None:
    """Refuse indexes of another key: nobody could sign in, and every number would look new."""
    for patient in _sample(Patient, "given_name"):
        for name, sources in SOURCES.items():
            told = normal(name, *(getattr(patient, source) for source in sources))
            fitting = contact_indexes(name.removesuffix("_index"), told) or [b""]
            if bytes(getattr(patient, name)) not in fitting:
                raise BackupFailed(f"BLIND_INDEX_KEY is not the one that {name} was made with.")


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Yield every model of ours with the name of each of its sealed columns."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SealedMixin):
                yield model, field.name


def _sample(model: type[M], field: str) -> Iterable[M]:
    """Return rows from both ends of a table, by their keys."""
    filled = model._default_manager.filter(**{f"{field}__isnull": False})
    return itertools.chain(filled.order_by("pk")[:SAMPLE], filled.order_by("-pk")[:SAMPLE])


def _audit_chain(*, sealed: bool) -> str:
    """Verify the record of looks, as far as it was sealed: the anchor may be ahead of a backup."""
    if not sealed:
        return "never sealed"
    try:
        verdict = verify.verify(anchored=False)
    except verify.CannotVerify as error:
        raise BackupFailed(f"The record of looks cannot be verified: {error}") from error
    if not verdict.intact:
        raise BackupFailed(str(verdict))
    return str(verdict)


def _held() -> None:
    if not outboxes.are_held():
        raise BackupFailed("The outboxes are not held: a worker would send old messages again.")
    if get_broker().dequeue():
        raise BackupFailed("The queue gives out jobs although the outboxes are held.")
