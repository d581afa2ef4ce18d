"""Sealing by hand, over and over until told to stop, with a new key and after a loss."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from patients.chain import SealKey, VerifyKeys
from patients.models import AuditSeal
from patients.privacy.verify import verify
from tests.patients.sealing import as_owner, ask, seal_all, settle, write_rows

PROJECT = Path(__file__).parents[4]


@pytest.fixture(autouse=True)
def anchor(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_ANCHOR = str(tmp_path / "anchor")
    return tmp_path / "anchor"


def seal_audit(*arguments: str) -> str:
    output = io.StringIO()
    call_command("seal_audit", *arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_it_seals_and_says_how_much() -> None:
    write_rows(3)
    settle()
    assert seal_audit() == "Sealed 3 rows in 1 seals.\n"


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_one_line(settings: Any) -> None:
    settings.AUDIT_SEAL_KEY = ""
    with pytest.raises(CommandError, match="AUDIT_SEAL_KEY is not set here"):
        seal_audit()


def test_a_new_pair_of_keys_fits_together() -> None:
    private, public = (line.partition("=")[2] for line in seal_audit("--new-key", "2027").split())
    key, trusted = SealKey.parse(private), VerifyKeys.parse([public])
    assert key.name == "2027"
    assert trusted.confirm("2027", key.sign(b"message"), b"message")
    assert not trusted.confirm("2027", key.sign(b"message"), b"massage")


def test_a_key_cannot_have_a_name_that_settings_could_not_hold() -> None:
    with pytest.raises(CommandError):
        seal_audit("--new-key", "a,b:c")


@pytest.mark.django_db(transaction=True)
def test_a_loss_is_declared_and_a_lost_anchor_written_anew(anchor: Path) -> None:
    write_rows(20)
    seal_all(most_rows=10)
    with as_owner(keeping=True):
        first = AuditSeal.objects.get(number=2).first_id
        ask("DELETE FROM patients_auditentry WHERE id >= %s", [first])
        ask("DELETE FROM patients_auditseal WHERE number = 2")
    assert seal_audit("--after-restore") == "Given up after the restore: 1 seals.\n"
    assert verify().intact
    anchor.unlink()
    assert seal_audit("--new-anchor") == "The new anchor names 1 seals.\n"
    assert verify().intact


@pytest.mark.django_db(transaction=True)
def test_it_keeps_sealing_until_it_is_told_to_stop(anchor: Path) -> None:
    """A process of its own, as a clinic runs it, ended by the signal that ends services."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "seal_audit", "--every", "0.2"],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": _own_url(), "AUDIT_ANCHOR": str(anchor)},
    ) as process:
        try:
            for rows in (3, 5):
                write_rows(rows)
                _wait_for(rows)
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0
    assert verify().intact


def _own_url() -> str:
    told = connection.settings_dict
    return f"postgresql://{told['USER']}@:{told['PORT']}/{told['NAME']}?host={told['HOST']}"


def _wait_for(rows: int) -> None:
    deadline = time.monotonic() + 120
    while not AuditSeal.objects.filter(rows=rows).exists():
        assert time.monotonic() < deadline, f"{rows} rows are not sealed"
        time.sleep(0.1)
