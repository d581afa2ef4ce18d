"""What the command says, and the three ways in which it ends."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from patients.models import AuditSeal
from tests.patients.sealing import as_owner, ask, seal_all, write_rows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def anchor(settings: Any, tmp_path: Path) -> Path:
    settings.AUDIT_ANCHOR = str(tmp_path / "anchor")
    return tmp_path / "anchor"


@pytest.fixture(autouse=True)
def _sealed(anchor: Path) -> None:
    write_rows(25)
    seal_all(most_rows=10)


def verify_audit(*arguments: str) -> str:
    output = io.StringIO()
    call_command("verify_audit", *arguments, stdout=output)
    return output.getvalue()


def refusal(*arguments: str) -> tuple[int, str]:
    with pytest.raises(CommandError) as refused:
        verify_audit(*arguments)
    return refused.value.returncode, str(refused.value)


def test_a_whole_record_ends_with_one_line_of_figures() -> None:
    write_rows(2)
    said = verify_audit()
    head = AuditSeal.objects.get(number=3).head().digest().hex()
    assert said.count("\n") == 1
    assert said.startswith(f"25 rows, 3 seals, head {head}; unsealed tail 2 rows, oldest unsealed ")
    assert re.search(r"oldest unsealed \d+ s$", said.strip())


def test_damage_ends_with_1_and_one_line_that_names_the_row() -> None:
    row = AuditSeal.objects.get(number=2).first_id
    with as_owner(keeping=True):
        ask("DELETE FROM patients_auditentry WHERE id = %s", [row])
    assert refusal() == (1, f"DAMAGED: row {row} (seal 2) was deleted after it was sealed")


def test_without_an_anchor_it_ends_with_2_unless_told_to_do_without(
    settings: Any, anchor: Path
) -> None:
    settings.AUDIT_ANCHOR = ""
    assert refusal()[0] == 2
    assert "25 rows" in verify_audit("--without-anchor")
    assert "25 rows" in verify_audit("--anchor", str(anchor))
    status, said = refusal("--anchor", str(anchor) + ".gone")
    assert status == 2
    assert "There is no anchor" in said


def test_without_a_key_it_ends_with_2(settings: Any) -> None:
    settings.AUDIT_VERIFY_KEYS = []
    assert refusal() == (2, "AUDIT_VERIFY_KEYS names no public key.")
    settings.AUDIT_VERIFY_KEYS = ["broken"]
    assert refusal()[0] == 2


def test_it_can_begin_at_a_seal() -> None:
    assert "5 rows, 1 seals" in verify_audit("--from", "3")
    assert refusal("--from", "0")[0] == 2
    assert refusal("--from", "9") == (1, "DAMAGED: seal 8 is missing")
