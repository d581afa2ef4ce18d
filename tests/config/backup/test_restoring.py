"""A backup comes back whole or not at all, and a copy that is not the same is found out."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import pytest

from config.backup import manifest, restoring
from config.backup.errors import BackupFailed
from config.backup.manifest import Manifest
from config.backup.programs import Target
from config.backup.proof import compare
from patients import sealed_stream
from tests.config.backup.conftest import KEYS, silent
from tests.patients.test_sealed_stream import HEADER, chunks

pytestmark = pytest.mark.django_db
Backup = tuple[Path, Manifest]
TABLE = "providers_timezone"


def restore(data: bytes, target: Target, keys: dict[str, bytes] = KEYS) -> Manifest:
    return restoring.restore(io.BytesIO(data), target=target, keys=keys, progress=silent)


def tables_of(target: Target) -> int:
    with target.connect() as link:
        row = link.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
    return int(row[0]) if row else -1


def test_a_copy_equals_what_was_backed_up(backup: Backup, empty: Target) -> None:
    path, taken = backup
    with path.open("rb") as sealed:
        restoring.restore(sealed, target=empty, keys=KEYS, progress=silent)
    with empty.connect() as link:
        found = manifest.take(link)
    assert found.tables == taken.tables
    assert found.tables[TABLE].count > 300
    compare(taken, found)


REPLACED = """
ALTER TABLE patients_patient DROP CONSTRAINT patient_not_merged_into_self;
ALTER TABLE patients_patient ADD CONSTRAINT patient_not_merged_into_self CHECK """
SAME_CHECK = "(merged_into_id IS NULL OR merged_into_id <> id)"
EMPTIED = """
CREATE OR REPLACE FUNCTION daysheet_refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'
"""
SPOILT = {
    "a row that was lost": (
        "DELETE FROM providers_timezone WHERE name = 'Africa/Abidjan'",
        f"Table {TABLE} has",
    ),
    "a row that was changed": (
        "UPDATE django_content_type SET model = model || 'x' WHERE model = 'permission'",
        "Table django_content_type has the right number of rows, but other ones",
    ),
    "a table that was added": ("CREATE TABLE more ()", "Table more is in only one"),
    "a trigger that was switched off": (
        "ALTER TABLE patients_auditentry DISABLE TRIGGER audit_append_only",
        "trigger audit_append_only on patients_auditentry is switched off",
    ),
    "a foreign key that was switched off": (
        "ALTER TABLE patients_patient DISABLE TRIGGER ALL",
        "on patients_patient is switched off",
    ),
    "a constraint that was dropped": (
        "ALTER TABLE patients_patient DROP CONSTRAINT patient_not_merged_into_self",
        "constraint patient_not_merged_into_self on patients_patient is missing",
    ),
    "a constraint that was never checked": (
        f"{REPLACED} {SAME_CHECK} NOT VALID",
        "constraint patient_not_merged_into_self on patients_patient is switched off or not valid",
    ),
    "a constraint that became another": (
        f"{REPLACED} (true)",
        "constraint patient_not_merged_into_self on patients_patient is defined otherwise",
    ),
    "an index that was dropped": (
        "DROP INDEX patient_email_index",
        "index patient_email_index on patients_patient is missing",
    ),
    "a function that was replaced": (
        EMPTIED,
        "function daysheet_refuse_rewriting() is defined otherwise",
    ),
}


@pytest.fixture
def copy(backup: Backup, empty: Target) -> Target:
    restore(backup[0].read_bytes(), empty)
    with empty.connect() as link:  # as the server's superuser could; here the owner stands in
        row = link.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return empty if row and row[0] else _superusers(empty)


def _superusers(target: Target) -> Target:
    return Target(target.parameters | {"user": "postgres"}, target.password)


def test_each_thing_that_is_not_as_it_was_is_found_and_named(backup: Backup, copy: Target) -> None:
    for told, (statement, words) in SPOILT.items():
        with copy.connect() as link:
            link.execute(statement.encode())
            with pytest.raises(BackupFailed) as refused:
                compare(backup[1], manifest.take(link))
            link.rollback()
        assert words in str(refused.value), told
        assert "\n" not in str(refused.value)
    with copy.connect() as link:
        compare(backup[1], manifest.take(link))


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def reordered(data: bytes) -> bytes:
    first, second, *rest = chunks(data)
    return data[:HEADER] + second + first + b"".join(rest)


DAMAGED = {
    "a flipped bit": (flipped, "is not what was written there"),
    "a file cut in the middle": (lambda data: data[: len(data) // 2], "The stream ends in chunk"),
    "a file without its last byte": (lambda data: data[:-1], "The stream ends in chunk"),
    "chunks that changed places": (reordered, "Chunk 0 is not what was written there"),
    "something else": (lambda _data: b"PGDMP", "This is no sealed stream"),
    "nothing": (lambda _data: b"", "This is no sealed stream"),
}


def test_a_damaged_file_is_named_and_leaves_the_database_empty(
    backup: Backup, empty: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = resealed_in_small_chunks(backup[0].read_bytes(), monkeypatch)
    for told, (damage, words) in DAMAGED.items():
        with pytest.raises(BackupFailed) as refused:
            restore(damage(data), empty)
        assert words in str(refused.value), told
        assert tables_of(empty) == 0, told
    restore(data, empty)
    assert tables_of(empty) > 60


def resealed_in_small_chunks(data: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Return the same backup in chunks of 64 kB, so that a small one has several."""
    plain = list(sealed_stream.unseal(io.BytesIO(data), keys=KEYS))
    monkeypatch.setattr(sealed_stream, "CHUNK", 1 << 16)
    return b"".join(sealed_stream.seal(plain, key_id="b1", key=KEYS["b1"]))


def test_a_wrong_and_a_missing_key_are_told_apart(backup: Backup, empty: Target) -> None:
    data = backup[0].read_bytes()
    with pytest.raises(BackupFailed, match="is not the one that sealed"):
        restore(data, empty, {"b1": secrets.token_bytes(32)})
    with pytest.raises(BackupFailed, match="'b1', which is missing"):
        restore(data, empty, {"b2": secrets.token_bytes(32)})
    assert tables_of(empty) == 0


def test_a_database_that_holds_something_is_left_alone(backup: Backup, empty: Target) -> None:
    with empty.connect() as link:
        link.execute("CREATE TABLE kept ()")
    with pytest.raises(BackupFailed, match="not empty"):
        restore(backup[0].read_bytes(), empty)
    assert tables_of(empty) == 1
