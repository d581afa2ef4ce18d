"""The anchor outside the database: written at once, believed where signed, missed where gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from patients.chain import SealKey
from patients.models import AuditSeal
from patients.privacy import anchor
from patients.privacy.anchor import AnchorAhead, AnchorBroken, AnchorMissing
from patients.privacy.seal import new_anchor, publish, resume_after_restore, seal
from patients.privacy.seal_state import keys
from patients.privacy.verify import verify
from patients.tampering import Kind
from tests.patients.sealing import as_owner, ask, settle, write_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def path(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_ANCHOR = str(tmp_path / "elsewhere" / "anchor")
    return tmp_path / "elsewhere" / "anchor"


def seal_now(most_rows: int = 10_000) -> tuple[int, int]:
    done = seal(most_rows=most_rows, now=timezone.now())
    return done.seals, done.rows


def sealed_rows(most_rows: int = 10_000) -> tuple[int, int]:
    settle()
    return seal_now(most_rows)


def test_every_head_is_written_outside_the_database(path: Path) -> None:
    write_rows(20)
    sealed_rows(most_rows=10)
    trail = anchor.read(path, keys())
    assert (trail.start, trail.end) == (1, 2)
    assert trail.digest(2) == AuditSeal.objects.get(number=2).head().digest()
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_a_crash_kept_from_the_anchor_is_made_up_for(path: Path) -> None:
    """Cut off in the middle of a line, as a full disk or a lost power supply leaves it."""
    write_rows(30)
    sealed_rows(most_rows=10)
    path.write_bytes(path.read_bytes()[:-500])
    assert verify().unanchored == 1
    publish()
    verdict = verify()
    assert verdict.intact, verdict
    assert verdict.unanchored == 0


def test_sealing_stops_where_the_anchor_knows_more_than_the_database() -> None:
    write_rows(20)
    sealed_rows(most_rows=10)
    with as_owner(keeping=True):
        ask("DELETE FROM patients_auditseal WHERE number = 2")
    write_rows(1)
    settle()
    with pytest.raises(AnchorAhead):
        seal_now()
    assert AuditSeal.objects.count() == 1


def test_sealing_stops_where_the_anchor_is_lost_and_goes_on_with_a_declared_new_one(
    path: Path,
) -> None:
    write_rows(20)
    sealed_rows(most_rows=10)
    path.unlink()
    write_rows(1)
    settle()
    with pytest.raises(AnchorMissing):
        seal_now()
    assert new_anchor() == 2
    assert seal_now() == (1, 1)
    assert verify().intact
    with pytest.raises(FileExistsError):
        new_anchor()


def test_sealing_stops_where_the_anchor_ends_in_nonsense(path: Path) -> None:
    write_rows(1)
    sealed_rows()
    path.write_text("not a line of ours\n")
    with pytest.raises(AnchorBroken):
        seal_now()


@pytest.mark.parametrize("kept", [0, 1])
def test_an_anchor_that_was_made_unreadable_is_no_reason_to_stop_looking(
    path: Path, kept: int
) -> None:
    write_rows(20)
    sealed_rows(most_rows=10)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]) + b"nonsense\n" * 10_000)
    found = verify().damage
    assert found is not None
    assert (found.kind, found.seal) == (Kind.ANCHOR_BROKEN, kept + 1)


def test_a_line_missing_in_the_anchor_is_found(path: Path) -> None:
    write_rows(30)
    sealed_rows(most_rows=10)
    one, _, three = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(one + three)
    damage = verify().damage
    assert damage
    assert (damage.kind, damage.seal) == (Kind.ANCHOR_BROKEN, 3)


def test_a_line_invented_in_the_anchor_accuses_nobody_of_cutting_rows_off(path: Path) -> None:
    write_rows(10)
    sealed_rows()
    said = json.loads(path.read_text())
    said["head"]["number"] = 2
    with path.open("a") as file:
        file.write(json.dumps(said) + "\n")
    damage = verify().damage
    assert damage
    assert (damage.kind, damage.seal) == (Kind.ANCHOR_BROKEN, 2)


def test_after_a_restore_the_loss_is_declared_and_sealing_goes_on(path: Path) -> None:
    write_rows(40)
    sealed_rows(most_rows=10)
    with as_owner(keeping=True):  # what an older backup would have brought back
        ask(
            "DELETE FROM patients_auditentry WHERE id >="
            " (SELECT first_id FROM patients_auditseal WHERE number = 3)"
        )
        ask("DELETE FROM patients_auditseal WHERE number >= 3")
    assert not verify().intact
    assert resume_after_restore() == 2
    assert verify().intact
    write_rows(5)
    assert sealed_rows() == (1, 5)
    verdict = verify()
    assert verdict.intact, verdict
    assert verdict.lost == 2
    assert "2 seals lost in restores that were declared" in str(verdict)
    assert resume_after_restore() == 0


def test_a_loss_declared_without_the_key_is_not_believed(path: Path) -> None:
    write_rows(20)
    sealed_rows(most_rows=10)
    digest = AuditSeal.objects.get(number=1).head().digest()
    stranger = SealKey("development", Ed25519PrivateKey.generate())
    with as_owner():
        ask("DELETE FROM patients_auditseal WHERE number = 2")
        anchor.resume(path, number=1, digest=digest, key=stranger)
        damage = verify().damage
    assert damage
    assert damage.seal == 2
