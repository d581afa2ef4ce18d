"""Whatever changes whom a name finds is seen by the next search of any worker, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ProgrammingError

from patients.models import Patient
from patients.name_index.reading import Mark, read_all, read_changes
from patients.name_index.shelf import Shelf
from providers.models import Clinic
from tests.factories import ClinicFactory, PatientFactory
from tests.patients.name_index.conftest import Finds, found

pytestmark = pytest.mark.django_db(transaction=True)
RENAME = "UPDATE patients_patient SET given_name = %s WHERE id = %s"


def sealed(patient: Patient, name: str) -> str:
    """Return what the database keeps of a given name in this patient's row."""
    field = Patient._meta.get_field("given_name")
    stored: str = field.seal(patient.pk, name)
    return stored


def run(statement: str, *values: Any, on: BaseDatabaseWrapper | None = None) -> None:
    with (on or connection).cursor() as cursor:
        cursor.execute(statement, values)


def rename(patient: Patient, name: str, *, on: BaseDatabaseWrapper | None = None) -> None:
    run(RENAME, sealed(patient, name), patient.pk, on=on)


def stamp_of(patient: Patient) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT names_changed_in::text FROM patients_patient WHERE id = %s", [patient.pk]
        )
        return int(cursor.fetchone()[0])


def save(patient: Patient, **values: object) -> None:
    for name, value in values.items():
        setattr(patient, name, value)
    patient.save(update_fields=list(values))


CHANGES: dict[str, tuple[Callable[[Patient], object], str]] = {
    "a saved name": (lambda p: save(p, given_name="Zoe"), "zoe"),
    "a saved family name": (lambda p: save(p, family_name="Zander"), "zander"),
    "a saved birthday": (lambda p: save(p, dob=date(1999, 9, 9)), "9/9/1999"),
    "a saved phone": (lambda p: save(p, phone="+12125559999"), "9999"),
    "raw SQL": (lambda p: rename(p, "Zoe"), "zoe"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_by_at_once_and_what_it_replaced_no_more(
    worker: Finds, ana: Patient, bea: Patient, change: str
) -> None:
    before = {"zoe": "ana", "zander": "torres", "9/9/1999": "4/7/61", "9999": "0134"}
    act, text = CHANGES[change]
    assert worker(before[text]) == [ana.pk.hex]
    act(ana)
    assert worker(text) == [ana.pk.hex]
    assert worker(before[text]) == []
    assert worker("lopez") == [bea.pk.hex]


def test_somebody_new_is_found_at_once(worker: Finds, clinic: Clinic) -> None:
    assert worker("zoe") == []
    zoe = PatientFactory.create(clinic=clinic, name="Zoe Lind")
    assert worker("zoe") == [zoe.pk.hex]
    more = Patient.objects.bulk_create(
        PatientFactory.build_batch(3, clinic=clinic, given_name="Zoe", family_name="Rask")
    )
    assert sorted(worker("rask")) == sorted(patient.pk.hex for patient in more)


@pytest.mark.usefixtures("bea")
def test_a_deleted_record_is_not_found(worker: Finds, ana: Patient) -> None:
    assert worker("torres")
    run("DELETE FROM patients_patient WHERE id = %s", ana.pk)
    assert worker("torres") == []


def test_a_merged_record_goes_and_comes_back(worker: Finds, ana: Patient, bea: Patient) -> None:
    assert worker("torres")
    Patient.objects.filter(pk=ana.pk).update(merged_into=bea)
    assert worker("torres") == []
    Patient.objects.filter(pk=ana.pk).update(merged_into=None)
    assert worker("torres") == [ana.pk.hex]


def test_a_patient_who_moves_is_found_where_they_are_now(clinic: Clinic, ana: Patient) -> None:
    other, shelf = ClinicFactory.create(), Shelf()
    both = (clinic, other)
    assert [len(found(shelf, place, "torres")) for place in both] == [1, 0]
    Patient.objects.filter(pk=ana.pk).update(clinic=other)
    assert [len(found(shelf, place, "torres")) for place in both] == [0, 1]
    Patient.objects.filter(pk=ana.pk).update(clinic=clinic)
    assert [len(found(shelf, place, "torres")) for place in both] == [1, 0]


def test_a_table_that_was_emptied_or_made_anew_is_read_anew(worker: Finds, ana: Patient) -> None:
    """As by a restore into the same database, of which no trigger tells."""
    assert worker("torres")
    run("CREATE TABLE kept AS SELECT * FROM patients_patient")
    try:
        run("TRUNCATE patients_patient CASCADE")
        assert worker("torres") == []
        run("ALTER TABLE patients_patient DISABLE TRIGGER USER")
        run("INSERT INTO patients_patient SELECT * FROM kept")
        run("ALTER TABLE patients_patient ENABLE TRIGGER USER")
    finally:
        run("DROP TABLE kept")
    run("VACUUM FULL patients_patient")
    assert worker("torres") == [ana.pk.hex]


def test_a_change_that_commits_late_is_not_missed(
    worker: Finds, ana: Patient, bea: Patient, elsewhere: BaseDatabaseWrapper
) -> None:
    """The earlier transaction ends last; whoever asks for greater numbers only never sees it."""
    assert worker("torres")
    rename(ana, "Zoe", on=elsewhere)
    rename(bea, "Yara")
    last = stamp_of(bea)
    assert worker("yara") == [bea.pk.hex]
    assert worker("zoe") == []

    elsewhere.commit()

    assert stamp_of(ana) < last
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM patients_patient WHERE names_changed_in > %s::xid8", [str(last)]
        )
        assert cursor.fetchall() == [], "greater than the last number: ana's change is missed"
    assert worker("zoe") == [ana.pk.hex]


def test_a_change_while_everything_is_read_is_not_missed(
    clinic: Clinic, ana: Patient, bea: Patient, elsewhere: BaseDatabaseWrapper
) -> None:
    rename(ana, "Zoe", on=elsewhere)
    rows, mark = read_all(clinic)
    elsewhere.commit()
    changes = read_changes(clinic, mark)
    assert {row.id for row in rows} == {ana.pk.bytes, bea.pk.bytes}
    row = changes.rows[ana.pk.bytes]
    assert row is not None
    assert row.person.given == ("zoe",)


def test_who_left_and_came_back_in_an_older_transaction_is_found(
    worker: Finds, clinic: Clinic, ana: Patient, bea: Patient, elsewhere: BaseDatabaseWrapper
) -> None:
    """The note that somebody left is younger than the one of their coming back."""
    assert worker("torres")
    rename(bea, "Yara", on=elsewhere)  # begins, and so is the older one
    Patient.objects.filter(pk=ana.pk).update(clinic=ClinicFactory.create())
    back = "UPDATE patients_patient SET clinic_id = %s WHERE id = %s"
    run(back, clinic.pk, ana.pk, on=elsewhere)
    elsewhere.commit()
    assert worker("torres") == [ana.pk.hex]


def test_what_a_transaction_took_back_is_forgotten(
    worker: Finds, ana: Patient, bea: Patient
) -> None:
    assert worker("torres")
    with transaction.atomic():
        with transaction.atomic():
            rename(ana, "Zoe")
            run("DELETE FROM patients_patient WHERE id = %s", bea.pk)
            assert worker("zoe") == [ana.pk.hex]
            assert worker("lopez") == []
            transaction.set_rollback(True)
        assert worker("zoe") == []
        rename(ana, "Yara")
        assert worker("yara") == [ana.pk.hex]
        transaction.set_rollback(True)
    assert worker("yara") == []
    assert worker("ana") == [ana.pk.hex]
    assert worker("lopez") == [bea.pk.hex]


def test_an_index_made_inside_a_transaction_forgets_what_it_took_back(
    worker: Finds, ana: Patient, bea: Patient
) -> None:
    with transaction.atomic():
        rename(ana, "Zoe")
        run("DELETE FROM patients_patient WHERE id = %s", bea.pk)
        assert worker("zoe") == [ana.pk.hex]
        transaction.set_rollback(True)
    assert worker("zoe") == []
    assert worker("ana") == [ana.pk.hex]
    assert worker("lopez") == [bea.pk.hex]


def test_only_what_changed_is_read_again(clinic: Clinic, ana: Patient, bea: Patient) -> None:
    _rows, mark = read_all(clinic)
    settled = read_changes(clinic, mark).mark
    assert read_changes(clinic, settled).rows == {}
    rename(ana, "Zoe")
    changes = read_changes(clinic, settled)
    assert set(changes.rows) == {ana.pk.bytes}
    save(bea, city="Albany")
    assert read_changes(clinic, changes.mark).rows == {}


def test_what_is_read_again_for_a_slow_neighbours_sake_is_not_opened_again(
    clinic: Clinic, ana: Patient, bea: Patient, elsewhere: BaseDatabaseWrapper
) -> None:
    """As long as an older transaction runs, later changes are asked for again and again."""
    mark = read_changes(clinic, read_all(clinic)[1]).mark
    rename(bea, "Yara", on=elsewhere)
    rename(ana, "Zoe")
    first = read_changes(clinic, mark)
    again = read_changes(clinic, first.mark)
    assert set(first.rows) == {ana.pk.bytes}
    assert again.rows == {}
    assert ana.pk.bytes in again.mark.seen


def test_a_mark_of_another_server_is_void(clinic: Clinic) -> None:
    """Its numbers of transactions mean nothing here, and may be in our future."""
    _rows, mark = read_all(clinic)
    assert read_changes(clinic, Mark(str(2**60), f"x{mark.origin}")).is_void


def test_a_note_cannot_be_forged_or_lost_by_saving_an_old_instance(ana: Patient) -> None:
    rename(ana, "Zoe")
    stamp = stamp_of(ana)
    run("UPDATE patients_patient SET names_changed_in = '7' WHERE id = %s", ana.pk)
    assert stamp_of(ana) > stamp
    with pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM patients_namegone WHERE gone_in > 7")
