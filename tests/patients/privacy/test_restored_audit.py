"""A record that was dumped and restored into another server goes on there, and verifies as a whole.

The new server counts its transactions from the beginning again: by their number alone its rows
would stand among those that the old one had sealed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection

from config import embedded
from config.backup import programs
from patients.models import AuditSeal
from patients.privacy.seal import publish
from tests.patients.sealing import ask, seal_all, write_rows

pytestmark = pytest.mark.django_db(transaction=True)

PROJECT = Path(__file__).parents[3]
WRITE = """
import django; django.setup()
from tests.patients.sealing import ask, seal_all, write_rows
write_rows(7, seed=9)
print(seal_all(most_rows=5))
print(ask("SELECT count(DISTINCT written_on) FROM patients_auditentry")[0][0])
print(ask("SELECT max(written_in::text::bigint) FROM patients_auditentry"
    " WHERE written_on = (pg_control_system()).system_identifier")[0][0])
"""


@pytest.fixture(autouse=True)
def anchor(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_ANCHOR = str(tmp_path / "anchor")
    return tmp_path / "anchor"


@pytest.fixture
def elsewhere(anchor: Path) -> Iterator[dict[str, str]]:
    """The environment of processes whose database is on an empty server of its own."""
    major = connection.cursor().connection.info.server_version // 10_000
    directory = programs.program("pg_restore", major=major).parent
    binaries = directory if (directory / "initdb").exists() else None
    with embedded.server(binaries=binaries) as url:
        yield os.environ | {
            "DATABASE_URL": url,
            "AUDIT_ANCHOR": str(anchor),
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
        }


def copy_to(elsewhere: dict[str, str]) -> None:
    major = connection.cursor().connection.info.server_version // 10_000
    target = programs.target(configured.DATABASES["default"] | connection.settings_dict)
    dump = programs.program("pg_dump", major=major)
    restore = programs.program("pg_restore", major=major)
    with subprocess.Popen(
        [dump, "--format=custom", f"--dbname={target.conninfo}"],
        stdout=subprocess.PIPE,
        env=target.environment(),
    ) as dumping:
        subprocess.run(
            [
                restore,
                "--no-owner",
                "--no-privileges",
                "--exit-on-error",
                f"--dbname={elsewhere['DATABASE_URL']}",
            ],
            stdin=dumping.stdout,
            check=True,
        )
    assert dumping.returncode == 0


def run(elsewhere: dict[str, str], *line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *line],
        cwd=PROJECT,
        env=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )


def test_rows_of_both_servers_are_sealed_and_verify_together(
    elsewhere: dict[str, str],
) -> None:
    ask("SELECT count(pg_current_xact_id()) FROM generate_series(1, 1)")
    write_rows(25)
    seal_all(most_rows=10)
    write_rows(4, seed=1)  # not yet sealed when the dump is taken
    ((place,),) = ask("SELECT min(written_in::text::bigint) FROM patients_auditentry")
    copy_to(elsewhere)
    assert run(elsewhere, "manage.py", "verify_audit").returncode == 0
    written = run(elsewhere, "-c", WRITE)
    assert written.returncode == 0, written.stderr
    sealed, clusters, newest = written.stdout.splitlines()
    assert sealed == "Sealed(seals=3, rows=11)"
    assert clusters == "2"
    assert int(newest) < int(str(place)), "the new server counts below the old one"
    verified = run(elsewhere, "manage.py", "verify_audit")
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("36 rows, 6 seals, head ")
    assert "unsealed tail 0 rows" in verified.stdout


def test_a_row_slipped_in_under_the_old_servers_name_is_found(elsewhere: dict[str, str]) -> None:
    write_rows(25)
    seal_all(most_rows=10)
    copy_to(elsewhere)
    assert run(elsewhere, "-c", WRITE).returncode == 0
    slipped = run(elsewhere, "-c", SLIP_IN)
    assert slipped.returncode == 0, slipped.stderr
    verified = run(elsewhere, "manage.py", "verify_audit")
    assert verified.returncode == 1
    row = slipped.stdout.strip()
    assert f"row {row} was put among rows that had been sealed before" in verified.stderr


SLIP_IN = """
import django; django.setup()
from tests.patients.sealing import as_owner, ask
with as_owner(keeping=True):
    print(ask("INSERT INTO patients_auditentry (object_pk, object_repr, action, changes_text,"
        " timestamp, system_actor, role, page, purpose, outcome, request_id, browser, patient_ids,"
        " field_names, written_in, written_on) SELECT 'x', 'x', 3, '', timestamp, 'system:x', '',"
        " '', '', 'DONE', '', '', '{}', '{}', written_in, written_on FROM patients_auditentry"
        " WHERE id = (SELECT min(id) FROM patients_auditentry) RETURNING id")[0][0])
"""


def test_an_older_copy_does_not_go_on_until_the_loss_is_declared(
    elsewhere: dict[str, str],
) -> None:
    write_rows(10)
    seal_all()
    copy_to(elsewhere)
    write_rows(5, seed=2)  # what the backup does not have
    seal_all()
    publish()
    assert AuditSeal.objects.count() == 2
    refused = run(elsewhere, "manage.py", "seal_audit")
    assert refused.returncode == 1
    assert "after a restore, seal_audit --after-restore" in refused.stderr
    assert run(elsewhere, "manage.py", "verify_audit").returncode == 1
    declared = run(elsewhere, "manage.py", "seal_audit", "--after-restore")
    assert declared.stdout == "Given up after the restore: 1 seals.\n"
    assert "Sealed(seals=2, rows=7)" in run(elsewhere, "-c", WRITE).stdout
    verified = run(elsewhere, "manage.py", "verify_audit")
    assert verified.returncode == 0, verified.stderr
    assert "1 seals lost in restores that were declared" in verified.stdout
