"""Each database role, signed in for real, does its part and is refused the rest by PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from config.backup import restoring
from config.backup.manifest import Manifest
from config.backup.programs import Target
from config.database_roles import TABLES, Roles, statements
from tests.config.backup.conftest import KEYS, backup, empty, silent, source  # noqa: F401

RECORD = 'SELECT daysheet_record(\'{"system": "system:test", "action": 3}\')'
REWRITING = [
    "UPDATE patients_auditentry SET purpose = 'x'",
    "DELETE FROM patients_auditentry",
    "TRUNCATE patients_auditentry",
    "UPDATE patients_auditseal SET rows = 2",
    "DELETE FROM patients_auditseal",
    "TRUNCATE patients_auditseal",
    "INSERT INTO patients_auditseal SELECT * FROM patients_auditseal",
    "DELETE FROM patients_auditverification",
    "UPDATE scheduling_appointmentevent SET kind = 'x'",
    "DELETE FROM scheduling_appointmentevent",
]
SCHEMA = [
    "ALTER TABLE patients_auditentry DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_append_only ON patients_auditentry",
    "ALTER TABLE patients_patient ADD COLUMN x text",
    "CREATE TABLE x ()",
    "TRUNCATE patients_patient CASCADE",
    "SET session_replication_role = replica",
    "SELECT setval('patients_auditentry_id_seq', 1)",
    "UPDATE patients_outboxhome SET held_since = NULL",
    "DELETE FROM django_migrations",
]
REFUSED = {
    "app": [*REWRITING, *SCHEMA],
    "sealer": [
        *REWRITING[:6],
        *SCHEMA,
        RECORD,
        "SELECT * FROM patients_patient",
        "SELECT * FROM auth_user",
        "SELECT * FROM django_session",
        "INSERT INTO patients_auditentry SELECT * FROM patients_auditentry",
    ],
    "backup": [
        *REWRITING,
        *SCHEMA,
        RECORD,
        "UPDATE patients_patient SET family_name = ''",
        "DELETE FROM django_session",
        "INSERT INTO patients_keyproof SELECT * FROM patients_keyproof",
    ],
}
ALLOWED = {
    "app": [RECORD, "DELETE FROM django_session", "SELECT * FROM patients_auditseal"],
    "sealer": [
        "SELECT * FROM patients_auditentry",
        "INSERT INTO patients_auditseal SELECT * FROM patients_auditseal",
    ],
    "backup": ["SELECT * FROM patients_patient", "SELECT last_value FROM auth_user_id_seq"],
}


@pytest.fixture
def signed_in(backup: tuple[Path, Manifest], empty: Target) -> Iterator[dict[str, Target]]:  # noqa: F811
    """A copy of the tests' database, and each role's own way into it."""
    with backup[0].open("rb") as sealed:
        restoring.restore(sealed, target=empty, keys=KEYS, progress=silent)
    name = empty.parameters["dbname"]
    roles = Roles(*(f"{name}_{part}" for part in ("app", "sealer", "backup")))
    with _superuser(empty) as link:
        for role in roles.names():
            link.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
            link.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        tables = [str(table) for (table,) in link.execute(TABLES)]
        for statement in statements(roles, tables=tables, database=name):
            link.execute(statement)
    yield {
        part: Target(empty.parameters | {"user": role}, empty.password)
        for part, role in zip(("app", "sealer", "backup"), roles.names(), strict=True)
    }
    with _superuser(empty) as link:
        for role in roles.names():
            link.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
            link.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def _superuser(place: Target) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as who may make roles: ourselves, or the server's superuser."""
    link = psycopg.connect(place.conninfo, autocommit=True)
    row = link.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row and row[0]:
        return link
    link.close()
    return psycopg.connect(place.conninfo, user="postgres", autocommit=True)


def test_each_role_does_its_part_and_no_more(signed_in: dict[str, Target]) -> None:
    for part, place in signed_in.items():
        with place.connect() as link:
            for statement in ALLOWED[part]:
                link.execute(statement.encode())
                link.rollback()
            for statement in REFUSED[part]:
                with pytest.raises(InsufficientPrivilege):
                    link.execute(statement.encode())
                link.rollback()


def test_the_backups_role_can_make_one(signed_in: dict[str, Target]) -> None:
    assert run(signed_in["backup"], "backup", "--to", "-").startswith(b"DAYSHEET-SEALED\n")


def test_the_sealers_role_can_seal(signed_in: dict[str, Target], tmp_path: Path) -> None:
    run(signed_in["sealer"], "seal_audit", AUDIT_ANCHOR=str(tmp_path / "anchor"))


def test_the_apps_role_can_work(signed_in: dict[str, Target]) -> None:
    run(signed_in["app"], "shell", "-c", "from scheduling import tasks; tasks.sweep()")
    run(signed_in["app"], "clearsessions")


def run(place: Target, *command: str, **more: str) -> bytes:
    given = place.parameters
    url = f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}"
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url} | more,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout
