"""After a rotation everything has the new key, whatever stopped or disturbed it on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import override_settings

from patients import rotation
from patients.codes import request_code
from patients.indexes import contact_index
from patients.management.commands import rotate_keys
from patients.models import AuditEntry, KeyProof, OneTimeCode, Patient
from patients.privacy.sessions import SessionStore
from patients.registration import account_for
from patients.rotation import SealedTable, Shelf, Unfinished, sealed_columns, shelves, turn_all
from patients.second_factor import SecondFactorAdapter
from scheduling.models import Appointment, VisitNote
from tests.factories import AppointmentFactory, PatientFactory, UserFactory
from tests.patients.rings import BOTH, NEW, OLD, OLD_ID, WRONG

pytestmark = pytest.mark.django_db
TABLES = ["patients.Patient", "scheduling.Appointment", "scheduling.VisitNote"]


def silent(count: int) -> None:
    """Nobody watches how far it has come."""


def turn_everything() -> int:
    return sum(turn_all(shelf, advance=silent) for shelf in shelves())


def heads(table: str, column: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT split_part({column}, '.', 2) FROM {table}")  # noqa: S608
        return {key_id for (key_id,) in cursor.fetchall()}


@pytest.fixture
def people() -> list[Patient]:
    return [PatientFactory.create(city=f"Town {n}", dob=date(1980, 1, n + 1)) for n in range(5)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)


@pytest.fixture
def both_keys() -> Iterator[None]:
    with override_settings(DATA_KEYS=BOTH):
        yield


def test_every_sealed_column_of_every_model_has_a_shelf() -> None:
    known = {shelf.name for shelf in shelves()}
    assert known >= {*TABLES, "patients.OneTimeCode", "scheduling.SlotHold"}
    assert known >= {model._meta.label for model in apps.get_models() if sealed_columns(model)}


def test_all_rows_get_the_new_key_and_the_old_one_can_go(
    people: list[Patient], small_batches: None
) -> None:
    visit = AppointmentFactory.create(patient=people[0], reason="A rash")
    VisitNote.objects.create(appointment=visit, text="Seen", author=UserFactory.create())
    with override_settings(DATA_KEYS=BOTH):
        assert turn_everything() == 7
        assert turn_everything() == 0
    for column in sealed_columns(Patient):
        assert heads("patients_patient", column.column) <= {"next"}
    with override_settings(DATA_KEYS=NEW):
        again = {row.pk: (row.city, row.dob) for row in Patient.objects.all()}
        assert again == {row.pk: (row.city, row.dob) for row in people}
        assert Appointment.objects.get().reason_for_visit == "A rash"
        assert VisitNote.objects.get().text == "Seen"


def test_a_rotation_that_was_stopped_goes_on(people: list[Patient], small_batches: None) -> None:
    told: list[int] = []

    def stop_early(count: int) -> None:
        told.append(count)
        if sum(told) >= 2:
            raise KeyboardInterrupt

    shelf = SealedTable(Patient)
    with override_settings(DATA_KEYS=BOTH):
        with pytest.raises(KeyboardInterrupt):
            turn_all(shelf, advance=stop_early)
        assert heads("patients_patient", "city") == {"next", OLD_ID}
        assert shelf.stale() == 3
        assert turn_all(shelf, advance=silent) == 3
        assert shelf.stale() == 0


def test_values_keep_their_index_and_who_wrote_last_wins(people: list[Patient]) -> None:
    before = bytes(people[0].email_index)
    stale = Patient.objects.get(pk=people[0].pk)
    with override_settings(DATA_KEYS=BOTH):
        turn_everything()
        stale.city = "Written by somebody who read it before"
        stale.save()
        assert heads("patients_patient", "city") == {"next"}
        again = Patient.objects.get(pk=stale.pk)
        assert again.city == "Written by somebody who read it before"
        assert bytes(again.email_index) == before


def test_a_whole_row_read_before_brings_no_old_key_back(people: list[Patient]) -> None:
    stale = Patient.objects.get(pk=people[0].pk)
    with override_settings(DATA_KEYS=BOTH):
        turn_everything()
        stale.save()
    for column in sealed_columns(Patient):
        assert heads("patients_patient", column.column) <= {"next"}


def test_a_value_that_changed_meanwhile_is_not_overwritten(people: list[Patient]) -> None:
    shelf = SealedTable(Patient)
    row = people[0]
    columns = ", ".join(column.column for column in shelf.columns)
    with connection.cursor() as cursor:
        sql = f"SELECT id, {columns} FROM patients_patient WHERE id = %s"  # noqa: S608
        cursor.execute(sql, [row.pk])
        read = cursor.fetchone()
    row.city = "Newer"
    row.save()
    with override_settings(DATA_KEYS=BOTH):
        assert shelf._write([(*read, *shelf._again(read))]) == 0
    assert Patient.objects.get(pk=row.pk).city == "Newer"


def test_what_cannot_be_opened_is_named_and_does_not_stop_the_rest(people: list[Patient]) -> None:
    one, other = people[:2]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE patients_patient SET city = (SELECT city FROM patients_patient WHERE id = %s)"
            " WHERE id = %s",
            [other.pk, one.pk],
        )
    with (
        override_settings(DATA_KEYS=BOTH),
        pytest.raises(CommandError, match=f"{one.pk}.*Tampered"),
    ):
        call_command("rotate_keys")
    assert {row.key_id for row in KeyProof.objects.all()} >= {OLD_ID}
    with override_settings(DATA_KEYS=BOTH):
        assert SealedTable(Patient).stale() == 1
        assert Patient.objects.get(pk=other.pk).city == other.city


@pytest.mark.django_db(transaction=True)
def test_a_locked_row_is_passed_over_and_met_again(
    people: list[Patient], monkeypatch: pytest.MonkeyPatch, both_keys: None
) -> None:
    monkeypatch.setattr(rotation, "IDLE_ROUNDS", 2)
    shelf = SealedTable(Patient)
    is_locked, is_seen = Event(), Event()

    def hold_the_lock() -> None:
        with transaction.atomic():
            Patient.objects.select_for_update().get(pk=people[0].pk)
            is_locked.set()
            is_seen.wait(30)
        connection.close()

    writer = Thread(target=hold_the_lock)
    writer.start()
    assert is_locked.wait(30)
    with pytest.raises(Unfinished, match="1 rows stayed locked"):
        turn_all(shelf, advance=silent)
    is_seen.set()
    writer.join()
    assert turn_all(shelf, advance=silent) == 1


def test_sessions_are_sealed_again_and_broken_ones_end() -> None:
    kept, broken = SessionStore(), SessionStore()
    for store in (kept, broken):
        store["word"] = "Larkspur"
        store.save()
    row = Session.objects.get(session_key=broken.session_key)
    Session.objects.filter(pk=row.pk).update(
        session_data=Session.objects.get(session_key=kept.session_key).session_data
    )
    with override_settings(DATA_KEYS=BOTH):
        turn_everything()
    with override_settings(DATA_KEYS=NEW):
        assert SessionStore(kept.session_key)["word"] == "Larkspur"
    assert not Session.objects.filter(session_key=broken.session_key).exists()


def test_second_factors_are_sealed_again() -> None:
    adapter = SecondFactorAdapter()
    row = Authenticator.objects.create(
        user=UserFactory.create(),
        type=Authenticator.Type.RECOVERY_CODES,
        data={"seed": adapter.encrypt("a seed"), "migrated_codes": [adapter.encrypt("a code")]},
    )
    with override_settings(DATA_KEYS=BOTH):
        assert turn_everything() == 2
    row.refresh_from_db()
    with override_settings(DATA_KEYS=NEW):
        assert adapter.decrypt(row.data["seed"]) == "a seed"
        assert adapter.decrypt(row.data["migrated_codes"][0]) == "a code"


# The command


def test_the_command_counts_and_forgets_the_old_key(
    people: list[Patient], both_keys: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("rotate_keys", "--dry-run")
    assert "patients.Patient: 5 to be sealed again" in capsys.readouterr().out
    assert heads("patients_patient", "city") == {OLD_ID}
    call_command("rotate_keys")
    output = capsys.readouterr().out
    assert "patients.Patient: 5 sealed again" in output
    assert f"Nothing needs the key {OLD_ID} any longer." in output
    assert [row.key_id for row in KeyProof.objects.all()] == ["next"]
    call_command("rotate_keys")
    assert "patients.Patient: 0 sealed again" in capsys.readouterr().out


def test_a_key_that_is_still_written_with_is_not_forgotten(
    people: list[Patient], both_keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process with the old settings writes to a table that was done."""
    turn = turn_all

    def and_a_late_write(shelf: Shelf, **more: Any) -> int:
        done = turn(shelf, **more)
        with override_settings(DATA_KEYS=f"{OLD},{NEW}"):
            late = Patient.objects.get(pk=people[0].pk)
            late.city = shelf.name
            late.save(update_fields=["city"])
        return done

    monkeypatch.setattr(rotate_keys, "turn_all", and_a_late_write)
    with pytest.raises(CommandError, match="Patient: written meanwhile"):
        call_command("rotate_keys")
    assert KeyProof.objects.filter(key_id=OLD_ID).exists()
    monkeypatch.undo()
    call_command("rotate_keys")
    assert not KeyProof.objects.filter(key_id=OLD_ID).exists()


def test_the_command_leaves_one_row_of_the_audit_that_names_nobody(
    people: list[Patient], both_keys: None
) -> None:
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    with override_settings(
        LOOKS_MUST_BE_RECORDED=True, BLIND_INDEX_KEY="n" * 60, BLIND_INDEX_KEY_OLD="o" * 60
    ):
        call_command("rotate_keys")
    row = AuditEntry.objects.exclude(pk__in=before).get()
    assert (row.system_actor, row.purpose, row.patient_ids) == (
        "system:rotate_keys",
        "key_rotation",
        [],
    )


def test_a_wrong_key_turns_nothing(people: list[Patient]) -> None:
    for keys in (f"{NEW},{WRONG}", NEW):
        with override_settings(DATA_KEYS=keys), pytest.raises(CommandError, match=OLD_ID):
            call_command("rotate_keys")
    assert heads("patients_patient", "city") == {OLD_ID}


# Blind indexes


def keys_of_indexes(new: str = "n" * 60, old: str = "") -> Any:
    return override_settings(BLIND_INDEX_KEY=new, BLIND_INDEX_KEY_OLD=old)


@pytest.fixture
def found_by_old() -> Patient:
    with keys_of_indexes(new="o" * 60):
        return PatientFactory.create(
            email="ada@mail.example", phone="+12125550142", insurance_member_id="X-1"
        )


def ids(**contact: str) -> list[UUID]:
    return [row.pk for row in Patient.objects.reached_at(**contact)]


def test_either_key_finds_until_the_rows_have_the_new_one(found_by_old: Patient) -> None:
    with keys_of_indexes():
        assert ids(email="ada@mail.example") == []
    with keys_of_indexes(old="o" * 60):
        assert ids(email="ada@mail.example") == [found_by_old.pk]
        assert ids(phone="+12125550142") == [found_by_old.pk]
        call_command("rotate_keys")
        assert ids(email="ada@mail.example") == [found_by_old.pk]
    with keys_of_indexes():
        assert ids(email="ada@mail.example") == [found_by_old.pk]
        row = Patient.objects.get(pk=found_by_old.pk)
        assert bytes(row.insurance_member_index) == contact_index("insurance_member", "X1")
        assert bytes(row.identity_index) not in {b"", bytes(found_by_old.identity_index)}


def test_a_code_asked_for_meanwhile_opens_the_record(found_by_old: Patient, now: Any) -> None:
    with keys_of_indexes(old="o" * 60):
        code_id = request_code(
            purpose=OneTimeCode.Purpose.SIGN_IN,
            contact="ada@mail.example",
            browser="00" * 32,
            network="10.0.0.1",
            now=now,
        )
        code = OneTimeCode.objects.get(pk=code_id)
        assert account_for(*code.contact_indexes) is not None
        call_command("rotate_keys")
        assert account_for(*code.contact_indexes) is not None
    found_by_old.refresh_from_db()
    assert found_by_old.user_id is not None
