"""A backup is one moment of the database, sealed, and has its name only when it is whole."""

from __future__ import annotations

import io
import stat
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from config.backup import making, manifest, restoring
from config.backup.errors import BackupFailed
from config.backup.manifest import Manifest
from config.backup.programs import Target, program, target
from config.settings.base import database
from tests.config.backup.conftest import KEYS, silent

pytestmark = pytest.mark.django_db


def test_the_file_is_its_owners_alone_and_says_nothing(backup: tuple[Path, Manifest]) -> None:
    path, taken = backup
    data = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"patients_patient" not in data
    assert b"PGDMP" not in data
    assert "patients_patient" in taken.tables
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_its_manifest_can_be_read_by_itself(backup: tuple[Path, Manifest]) -> None:
    path, taken = backup
    with path.open("rb") as sealed:
        assert restoring.read_manifest(sealed, keys=KEYS) == taken


def test_a_backup_that_fails_leaves_no_file(
    source: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_PROGRAMS", str(tmp_path))
    path = tmp_path / "clinic.backup"
    with (
        pytest.raises(BackupFailed, match="No pg_dump of PostgreSQL"),
        making.whole_file(path) as output,
    ):
        making.make(output, source=source, keys=KEYS, progress=silent)
    assert list(tmp_path.iterdir()) == []


def test_an_older_backup_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "clinic.backup"
    path.write_bytes(b"yesterday's")
    with pytest.raises(RuntimeError), making.whole_file(path) as output:
        output.write(b"half of today's")
        raise RuntimeError
    assert path.read_bytes() == b"yesterday's"


def test_what_is_written_meanwhile_belongs_to_the_next_backup(
    source: Target, empty: Target
) -> None:
    """Rows are counted and dumped in one snapshot, however busy the clinic is."""
    done, keys = threading.Event(), list[str]()

    def write() -> None:
        with source.connect() as link:
            link.autocommit = True
            while not done.is_set():
                keys.append(uuid4().hex)
                link.execute("INSERT INTO django_session VALUES (%s, 'x', now())", [keys[-1]])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        output = io.BytesIO()
        taken = making.make(output, source=source, keys=KEYS, progress=silent)
    finally:
        done.set()
        writer.join()
        with source.connect() as link:
            link.execute("DELETE FROM django_session WHERE session_key = ANY(%s)", [keys])
    output.seek(0)
    restoring.restore(output, target=empty, keys=KEYS, progress=silent)
    with empty.connect() as link:
        restored = manifest.take(link)
    assert len(keys) > taken.tables["django_session"].count
    assert restored.tables == taken.tables


def test_the_password_is_no_argument_of_any_program() -> None:
    place = target(database("postgresql://app:secret@db.example:6543/clinic?sslmode=verify-full"))
    assert "secret" not in place.conninfo
    assert place.environment()["PGPASSWORD"] == "secret"
    assert "sslmode=verify-full" in place.conninfo
    assert "server_side_binding" not in place.conninfo


def test_an_older_program_is_not_used(tmp_path: Path) -> None:
    old = tmp_path / "pg_dump"
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.2'\n")
    old.chmod(0o755)
    with pytest.raises(BackupFailed, match="PostgreSQL 15 or newer"):
        program("pg_dump", major=15, directory=tmp_path)
    assert program("pg_dump", major=14, directory=tmp_path) == old
