"""Sealing covers every row once, none too early, and stops where going on would hide a loss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import Error, connection, transaction
from django.utils import timezone

from patients.chain import BadKey, SealKey
from patients.models import AuditSeal
from patients.privacy.seal import (
    NoSealKey,
    seal,
    status,
)
from patients.privacy.verify import verify
from patients.tampering import Kind
from tests.patients.sealing import as_owner, ask, settle, write_rows

pytestmark = pytest.mark.django_db(transaction=True)

ROW = json.dumps({"system": "system:slow", "action": 3, "patients": [], "fields": []})


@pytest.fixture(autouse=True)
def path(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_ANCHOR = str(tmp_path / "elsewhere" / "anchor")
    return tmp_path / "elsewhere" / "anchor"


@pytest.fixture
def slow() -> Iterator[psycopg.Connection[Any]]:
    """A transaction of somebody else's that has begun to write, and takes its time."""
    settle()
    given = {k: v for k, v in connection.get_connection_params().items() if k in CONNECTS}
    with psycopg.connect(**given) as other:
        other.execute("SELECT pg_current_xact_id()")
        yield other


CONNECTS = {"host", "port", "user", "password", "dbname"}


def seal_now(most_rows: int = 10_000) -> tuple[int, int]:
    done = seal(most_rows=most_rows, now=timezone.now())
    return done.seals, done.rows


def sealed_rows(most_rows: int = 10_000) -> tuple[int, int]:
    settle()
    return seal_now(most_rows)


def test_all_rows_are_sealed_in_batches_that_hang_together() -> None:
    write_rows(25)
    assert sealed_rows(most_rows=10) == (3, 25)
    verdict = verify()
    assert verdict.intact, verdict
    assert (verdict.rows, verdict.seals, verdict.unsealed) == (25, 3, 0)


def test_nothing_new_makes_no_seal() -> None:
    write_rows(3)
    sealed_rows()
    assert seal_now() == (0, 0)


def test_a_row_that_commits_late_is_neither_skipped_nor_sealed_too_early(
    slow: psycopg.Connection[Any],
) -> None:
    """Its transaction is older than one that was done first; ids and commits come the other way."""
    write_rows(2)
    assert seal_now() == (0, 0), "rows of a transaction younger than a running one wait"
    slow.execute("SELECT daysheet_record(%s)", [ROW])
    slow.commit()
    late, *early = [
        row
        for (row,) in ask("SELECT id FROM patients_auditentry ORDER BY written_on, written_in, id")
    ]
    assert late > max(early), "the late row is the first in order, though its id is the last"
    assert sealed_rows() == (1, 3)
    assert AuditSeal.objects.get().first_id == late
    assert verify().intact


def test_by_id_alone_the_late_row_would_have_been_skipped(slow: psycopg.Connection[Any]) -> None:
    """The fault that the order of transactions cures, shown: ids beyond a mark say nothing."""
    slow.execute("SELECT daysheet_record(%s)", [ROW])
    write_rows(2)
    ((mark,),) = ask("SELECT max(id) FROM patients_auditentry")
    slow.commit()
    ((skipped,),) = ask(
        "SELECT count(*) FROM patients_auditentry WHERE id < %s AND system_actor = 'system:slow'",
        [mark],
    )
    assert skipped == 1
    assert sealed_rows() == (1, 3)


def test_rows_before_a_running_transaction_are_sealed_meanwhile() -> None:
    write_rows(4)
    settle()
    given = {k: v for k, v in connection.get_connection_params().items() if k in CONNECTS}
    with psycopg.connect(**given) as other:
        other.execute("SELECT daysheet_record(%s)", [ROW])
        write_rows(1)
        assert seal_now() == (1, 4)
        assert status().unsealed == 1
        other.rollback()
    assert sealed_rows() == (1, 1)


def test_two_sealers_at_once_leave_one_to_work() -> None:
    write_rows(1)
    settle()
    given = {k: v for k, v in connection.get_connection_params().items() if k in CONNECTS}
    with psycopg.connect(**given) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('audit seal', 0))")
        assert seal_now() == (0, 0)
    assert sealed_rows() == (1, 1)


def test_time_ends_a_run_between_two_batches() -> None:
    write_rows(5)
    settle()
    long_ago = timezone.now() - timedelta(minutes=5)
    assert seal(most_rows=1, within=timedelta(seconds=30), now=long_ago).seals == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients_auditseal SET rows = 2",
        "DELETE FROM patients_auditseal",
        "TRUNCATE patients_auditseal",
    ],
)
def test_the_database_refuses_to_change_seals(statement: str) -> None:
    write_rows(1)
    sealed_rows()
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        ask(statement)
    assert verify().intact


def test_a_column_added_later_leaves_old_seals_whole_and_is_covered_from_then_on() -> None:
    write_rows(2)
    sealed_rows()
    ask("ALTER TABLE patients_auditentry ADD COLUMN reviewed text DEFAULT 'no'")
    try:
        write_rows(2)
        sealed_rows()
        assert verify().intact
        old, new = AuditSeal.objects.all()
        assert "reviewed" in new.columns
        assert "reviewed" not in old.columns
        with as_owner():
            ask("UPDATE patients_auditentry SET reviewed = 'yes' WHERE id = %s", [new.first_id])
            damage = verify().damage
        assert damage
        assert (damage.kind, damage.row) == (Kind.CHANGED, new.first_id)
    finally:
        ask("ALTER TABLE patients_auditentry DROP COLUMN reviewed")


def test_a_new_key_seals_on_and_the_old_one_still_verifies(settings: Any) -> None:
    write_rows(1)
    sealed_rows()
    new = SealKey.written("2027", Ed25519PrivateKey.generate())
    settings.AUDIT_SEAL_KEY = new
    settings.AUDIT_VERIFY_KEYS = [*settings.AUDIT_VERIFY_KEYS, SealKey.parse(new).public()]
    write_rows(1)
    sealed_rows()
    assert [row.key for row in AuditSeal.objects.all()] == ["development", "2027"]
    assert verify().intact
    settings.AUDIT_VERIFY_KEYS = settings.AUDIT_VERIFY_KEYS[1:]
    damage = verify().damage
    assert damage
    assert (damage.kind, damage.seal) == (Kind.SEAL_UNKNOWN_KEY, 1)


def test_without_a_key_nothing_is_sealed(settings: Any) -> None:
    settings.AUDIT_SEAL_KEY = ""
    with pytest.raises(NoSealKey):
        seal_now()
    settings.AUDIT_SEAL_KEY = "name:not base64"
    with pytest.raises(BadKey):
        seal_now()


def test_verifying_can_begin_at_a_seal() -> None:
    write_rows(30)
    sealed_rows(most_rows=10)
    first = AuditSeal.objects.get(number=1).first_id
    with as_owner():
        ask("UPDATE patients_auditentry SET role = 'x' WHERE id = %s", [first])
        whole, rest = verify(), verify(since=2)
    assert not whole.intact
    assert rest.intact
    assert (rest.rows, rest.seals) == (20, 2)


def test_the_status_tells_lag_and_head() -> None:
    assert status().number == 0
    write_rows(3)
    before = status(now=timezone.now() + timedelta(minutes=2))
    assert before.unsealed == 3
    assert before.oldest_unsealed
    assert before.oldest_unsealed > timedelta(minutes=1)
    sealed_rows()
    after = status()
    assert (after.number, after.rows, after.unsealed, after.oldest_unsealed) == (1, 3, 0, None)
    assert after.head == AuditSeal.objects.get().head().digest().hex()
