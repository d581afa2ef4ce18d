"""Whatever is done to sealed rows is found, and the first row that is wrong is named."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from patients.chain import SealKey, VerifyKeys, entry
from patients.models import AuditSeal
from patients.privacy import audit_rows
from patients.privacy.audit_rows import BEFORE_ALL, Stretch
from patients.privacy.verify import verify
from patients.tampering import Damage, Kind, Verdict
from tests.patients.privacy import tampering
from tests.patients.privacy.tampering import Act, Log
from tests.patients.sealing import as_owner, ask, empty, seal_all, write_rows

pytestmark = pytest.mark.django_db

TRIALS = int(os.environ.get("TAMPER_TRIALS", "160"))  # of each of eight acts
SNAPSHOT = "SELECT md5(string_agg(e::text, '|' ORDER BY id)) FROM patients_auditentry AS e"


@pytest.fixture(scope="module")
def log(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Log]:
    """A hundred rows of thirty transactions in eleven seals, committed, for all tests here."""
    anchor = str(tmp_path_factory.mktemp("elsewhere") / "anchor")
    with django_db_blocker.unblock(), override_settings(AUDIT_ANCHOR=anchor):
        for seed in range(30):
            write_rows(1 + seed % 5 + seed % 3, seed=seed)
        seal_all(most_rows=11)
        yield Log.read()
        empty()


def attempt(act: Act, log: Log, dice: Random) -> tuple[Verdict, int] | None:
    """Do it, verify, and take it back; None where the dice changed nothing."""
    before = ask(SNAPSHOT)
    with transaction.atomic():
        expected = act(log, dice)
        outcome = (verify(), expected) if ask(SNAPSHOT) != before else None
        transaction.set_rollback(True)
    return outcome


@pytest.fixture
def owner(log: Log) -> Iterator[None]:
    """Who works with the triggers asleep and the constraints gone, until it is all taken back."""
    with as_owner():
        ask(tampering.NO_LONGER_REQUIRED)
        yield


def test_the_untouched_record_verifies(log: Log) -> None:
    with as_owner():
        verdict = verify()
    assert verdict.intact, verdict
    assert (verdict.rows, verdict.seals) == (len(log.rows), len(log.first_of))
    assert verdict.rows >= 100
    assert verdict.seals >= 10


def test_over_a_thousand_tampers_are_all_found_and_the_first_bad_row_is_named(
    log: Log, owner: None
) -> None:
    missed, found = [], Counter[str]()
    for act in tampering.ACTS:
        for trial in range(TRIALS):
            outcome = attempt(act, log, Random(f"{act.__name__} {trial}"))
            if outcome is None:
                continue
            verdict, expected = outcome
            if verdict.damage is None or verdict.damage.row != expected:
                missed.append(f"{act.__name__} {trial}: row {expected}, but {verdict}")
            found[act.__name__] += 1
    assert not missed, missed[:10]
    assert sum(found.values()) >= 1_000, found
    assert verify().intact


def test_a_change_of_any_column_is_found(log: Log, owner: None) -> None:
    for column, kind in log.columns.items():
        for value in tampering.OTHER_VALUES[kind][:1]:
            outcome = attempt(
                partial(tampering.edit_to, column=column, value=value), log, Random(7)
            )
            assert outcome is not None, column
            verdict, row = outcome
            assert verdict.damage, column
            assert verdict.damage.row == row, column


def seals(log: Log, statement: str) -> Verdict:
    """Do something to the seals instead of the rows, verify, and take it back."""
    with as_owner():
        assert ask(f"{statement} RETURNING 1"), statement
        return verify()


MIDDLE = "UPDATE patients_auditseal SET {} WHERE number = 5"


@pytest.mark.parametrize(
    "change",
    [
        "signature = set_byte(signature, 9, get_byte(signature, 9) # 1)",
        "rows = rows - 1",
        "total = total + 1",
        "first_id = first_id + 1",
        "through_in = through_in + 1",
        "cluster = cluster + 1",
        "columns = array_remove(columns, 'actor_id')",
        "sealed_at = sealed_at - interval '1 day'",
        "previous = set_byte(previous, 0, get_byte(previous, 0) # 1)",
        "entries = set_byte(entries, 40, get_byte(entries, 40) # 1)",
        "entries = substr(entries, 33)",
        "entries_digest = sha256('x')",
    ],
)
def test_a_seal_that_was_changed_is_named(log: Log, change: str) -> None:
    verdict = seals(log, MIDDLE.format(change))
    assert verdict.damage
    assert (verdict.damage.kind, verdict.damage.seal) == (Kind.SEAL_FORGED, 5)


def test_a_seal_cannot_be_fitted_to_a_changed_row(log: Log) -> None:
    """The row, its entry and the digest of the entries are changed alike: not the signature."""
    row = log.first_of[5]
    with as_owner():
        ask("UPDATE patients_auditentry SET role = 'PROVIDER_' WHERE id = %s", [row])
        seal = AuditSeal.objects.get(number=5)
        with audit_rows.reading():
            stretch = Stretch(seal.cluster, BEFORE_ALL, seal.through)
            entries = b"".join(map(entry, audit_rows.lines(stretch, seal.columns)))[-11 * 32 :]
        assert entries != bytes(seal.entries)
        ask(
            "UPDATE patients_auditseal SET entries = %s, entries_digest = sha256(%s)"
            " WHERE number = 5",
            [entries, entries],
        )
        verdict = verify()
    assert verdict.damage
    assert (verdict.damage.kind, verdict.damage.seal) == (Kind.SEAL_FORGED, 5)


def test_a_seal_made_with_another_key_is_named(log: Log) -> None:
    text = SealKey.written("development", Ed25519PrivateKey.generate())
    trusted = VerifyKeys.parse([SealKey.parse(text).public()])
    verdict = verify(trusted=trusted)
    assert verdict.damage
    assert (verdict.damage.kind, verdict.damage.seal) == (Kind.SEAL_FORGED, 1)


def test_a_seal_that_names_a_key_nobody_trusts_is_named(log: Log) -> None:
    verdict = seals(log, MIDDLE.format("key = 'theirs'"))
    assert verdict.damage
    assert (verdict.damage.kind, verdict.damage.seal) == (Kind.SEAL_UNKNOWN_KEY, 5)


def test_a_seal_taken_out_of_the_middle_is_missed_with_its_first_row(log: Log) -> None:
    verdict = seals(log, "DELETE FROM patients_auditseal WHERE number = 5")
    assert verdict.damage == Damage(Kind.SEAL_MISSING, log.first_of[5], 5)


def test_seals_that_changed_places_are_found(log: Log) -> None:
    with as_owner():
        for old, new in ((5, 100), (6, 5), (100, 6)):
            ask("UPDATE patients_auditseal SET number = %s WHERE number = %s", [new, old])
        verdict = verify()
    assert verdict.damage
    assert (verdict.damage.kind, verdict.damage.seal) == (Kind.SEAL_FORGED, 5)


def test_a_true_seal_in_a_wrong_chain_is_found(log: Log) -> None:
    """Signed with the right key, but it follows another seal than the one before it."""
    signing = SealKey.parse(settings.AUDIT_SEAL_KEY)
    with as_owner():
        seal = AuditSeal.objects.get(number=11)
        head = replace(seal.head(), previous="ab" * 32)
        AuditSeal.objects.filter(number=11).update(
            previous=bytes.fromhex(head.previous), signature=signing.sign(head.canonical())
        )
        verdict = verify(anchored=False)
    assert verdict.damage
    assert (verdict.damage.kind, verdict.damage.seal) == (Kind.SEAL_UNCHAINED, 11)


def test_another_seal_than_the_anchor_names_is_found(log: Log) -> None:
    """Whoever has the key and the database still has not the anchor."""
    signing = SealKey.parse(settings.AUDIT_SEAL_KEY)
    with as_owner():
        seal = AuditSeal.objects.get(number=11)
        head = replace(seal.head(), sealed_at="2020-01-01T00:00:00.000000+00:00")
        AuditSeal.objects.filter(number=11).update(
            sealed_at=head.sealed_at, signature=signing.sign(head.canonical())
        )
        assert verify(anchored=False).intact
        verdict = verify()
    assert verdict.damage == Damage(Kind.UNANCHORED, log.first_of[11], 11)


def test_a_column_that_was_dropped_makes_its_seals_unreadable(log: Log) -> None:
    with as_owner():
        ask("ALTER TABLE patients_auditentry DROP COLUMN cid")
        verdict = verify()
    assert verdict.damage
    assert verdict.damage.kind is Kind.SEAL_UNREADABLE


def test_columns_that_changed_names_are_found(log: Log) -> None:
    with as_owner():
        for old, new in (("role", "x"), ("purpose", "role"), ("x", "purpose")):
            ask(f"ALTER TABLE patients_auditentry RENAME {old} TO {new}")
        verdict = verify()
    assert verdict.damage
    assert verdict.damage.row == log.rows[0]


def test_without_the_anchor_a_cut_off_end_cannot_be_seen(log: Log) -> None:
    """Why there is one: the same loss passes without it, and is named with it."""
    first = log.first_of[9]
    with as_owner():
        ask("DELETE FROM patients_auditseal WHERE number >= 9")
        ask("DELETE FROM patients_auditentry WHERE id >= %s", [first])
        blind, seeing = verify(anchored=False), verify()
    assert blind.intact
    assert seeing.damage == Damage(Kind.TRUNCATED, first, 9)
