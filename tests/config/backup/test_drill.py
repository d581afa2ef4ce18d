"""A drill brings the whole clinic back in a server of its own, says how long it took, and goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from config.backup.drill import drill
from config.backup.errors import BackupFailed
from config.backup.programs import Target
from patients.models import Patient
from tests.config.backup.conftest import KEYS, silent
from tests.factories import PatientFactory

pytestmark = pytest.mark.django_db(transaction=True)
RING = "b1:" + b64encode(KEYS["b1"]).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A backup of a clinic with patients, made by the command."""
    PatientFactory.create_batch(3, email="rosa@mail.example", phone="+12125550147")
    call_command("seal_audit", stdout=StringIO())
    path = tmp_path / "clinic.backup"
    with override_settings(BACKUP_KEYS=RING):
        call_command("backup", "--to", str(path), stderr=StringIO())
    return path


@pytest.fixture
def own_temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files that nobody else uses, with the short path of a socket's."""
    with tempfile.TemporaryDirectory(prefix="daysheet-test-") as name:
        Path(name).chmod(0o755)  # the server's account, where the tests run as root, passes through
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


def test_it_proves_that_everything_comes_back_and_leaves_nothing(
    file: Path, own_temp: Path
) -> None:
    said = StringIO()
    with override_settings(BACKUP_KEYS=RING):
        call_command("restore_drill", str(file), stdout=said)
    figures = json.loads(said.getvalue().splitlines()[-1])
    assert figures["rto_seconds"] > 0
    assert 0 <= figures["rpo_seconds"] < 600
    assert figures["tables"] > 60
    assert figures["guards"] > 500
    assert figures["sealed_values_opened"] >= 3 * 2  # each of three patients, from both ends
    assert list(own_temp.iterdir()) == []


SPOILT = {
    "ALTER TABLE patients_auditentry DISABLE TRIGGER audit_append_only": "is switched off",
    "SELECT setval('django_migrations_id_seq', 1)": "django_migrations_id_seq is behind",
}


@pytest.mark.parametrize(("statement", "words"), SPOILT.items(), ids=SPOILT.values())
def test_a_copy_that_is_spoilt_fails_it_in_one_line(
    file: Path, own_temp: Path, statement: str, words: str
) -> None:
    def spoil(copy: Target) -> None:
        with copy.connect() as link:
            link.execute(statement.encode())

    with file.open("rb") as sealed, pytest.raises(BackupFailed) as refused:
        drill(sealed, keys=KEYS, progress=silent, project=settings.BASE_DIR, before_proof=spoil)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert list(own_temp.iterdir()) == []


def test_a_sealed_value_that_was_spoilt_before_the_backup_is_found(tmp_path: Path) -> None:
    """The copy equals the original: only opening it shows that neither can be read."""
    patient = PatientFactory.create()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE patients_patient SET family_name = given_name")
    path = tmp_path / "clinic.backup"
    with override_settings(BACKUP_KEYS=RING):
        call_command("backup", "--to", str(path), stderr=StringIO())
        with pytest.raises(CommandError) as refused:
            call_command("restore_drill", str(path), stdout=StringIO())
    assert str(refused.value) == "patients.Patient.family_name cannot be opened (Tampered)."
    assert str(patient.pk) not in str(refused.value)


def test_data_keys_that_do_not_fit_are_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clinic that lost its data keys learns it from the drill, not from the fire."""
    wrong = b64encode(b"another key of 32 bytes, made up").decode()
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.config.backup.other_keys")
    monkeypatch.setenv("OTHER_DATA_KEYS", f"development:{wrong}")
    with file.open("rb") as sealed, pytest.raises(BackupFailed, match="DATA_KEYS has another key"):
        drill(sealed, keys=KEYS, progress=silent, project=settings.BASE_DIR)


def test_an_index_key_that_does_not_fit_is_found(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything opens, and nobody is found: no patient could sign in."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "tests.config.backup.other_keys")
    monkeypatch.setenv("OTHER_INDEX_KEY", "another key, made up")
    with file.open("rb") as sealed, pytest.raises(BackupFailed, match="BLIND_INDEX_KEY is not"):
        drill(sealed, keys=KEYS, progress=silent, project=settings.BASE_DIR)


def test_a_file_that_is_damaged_is_one_line_and_status_1(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with override_settings(BACKUP_KEYS=RING), pytest.raises(CommandError, match=r"^Chunk"):
        call_command("restore_drill", str(file), stdout=StringIO())


def test_without_a_key_no_backup_is_begun(tmp_path: Path) -> None:
    path = tmp_path / "clinic.backup"
    with override_settings(BACKUP_KEYS=""), pytest.raises(CommandError, match="BACKUP_KEYS"):
        call_command("backup", "--to", str(path), stderr=StringIO())
    assert not path.exists()


def test_a_backup_flows_through_a_pipe(source: Target) -> None:
    url = f"postgresql://{source.parameters['user']}@/{source.parameters['dbname']}"
    done = subprocess.run(
        [sys.executable, "manage.py", "backup", "--to", "-"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": f"{url}?host={source.parameters['host']}"},
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"DAYSHEET-SEALED\n")
    assert b"Backed up" in done.stderr


def test_the_backup_holds_the_sealed_values_as_they_are(file: Path) -> None:
    """No patient's value is opened on the way: what is dumped is what the tables hold."""
    assert Patient.objects.count() == 3
    assert b"rosa@mail.example" not in file.read_bytes()
