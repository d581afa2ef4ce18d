"""The indexes of one process: made once, kept while there is room, each reading on record."""

from __future__ import annotations

import logging
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries

from patients.models import AuditEntry, Patient
from patients.name_index.shelf import Shelf
from providers.models import Clinic
from tests.factories import ClinicFactory, PatientFactory
from tests.patients.name_index.conftest import Finds, found


def readings() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(system_actor="system:search").order_by("timestamp"))


@pytest.mark.django_db(transaction=True)
@override_settings(LOOKS_MUST_BE_RECORDED=True)
def test_each_reading_is_on_record_and_shows_nobody(
    worker: Finds, clinic: Clinic, ana: Patient
) -> None:
    assert worker("torres")
    assert worker("torres")
    (first,) = readings()
    assert first.patient_ids == []
    assert first.clinic_id == clinic.pk
    assert sorted(first.field_names) == ["dob", "family_name", "given_name", "phone"]
    ana.given_name = "Zoe"
    ana.save(update_fields=["given_name"])
    assert worker("zoe")
    assert len(readings()) == 2


@pytest.mark.django_db(transaction=True)
def test_those_who_come_while_it_is_made_wait_and_do_not_make_it_again(
    clinic: Clinic, ana: Patient
) -> None:
    shelf, start, answers = Shelf(), Barrier(6), []

    def search() -> None:
        start.wait(10)
        answers.append(found(shelf, clinic, "torres"))
        connection.close()

    threads = [Thread(target=search) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [[ana.pk.hex]] * 6
    assert len(readings()) == 1


@pytest.mark.django_db
def test_the_least_used_clinic_goes_when_there_are_too_many_names() -> None:
    shelf = Shelf()
    clinics = ClinicFactory.create_batch(3)
    for clinic in clinics:
        PatientFactory.create_batch(4, clinic=clinic, family_name="Torres")
    with override_settings(SEARCH_NAMES_IN_MEMORY=8):
        for clinic in (clinics[0], clinics[1], clinics[0], clinics[2], clinics[0]):
            assert len(found(shelf, clinic, "torres")) == 4
        kept = len(readings())
        assert found(shelf, clinics[0], "torres")
        assert len(readings()) == kept
        assert found(shelf, clinics[1], "torres")
        assert len(readings()) > kept


@pytest.mark.django_db
def test_a_clinic_larger_than_the_room_is_searched_all_the_same(clinic: Clinic) -> None:
    PatientFactory.create_batch(3, clinic=clinic, family_name="Torres")
    shelf = Shelf()
    with override_settings(SEARCH_NAMES_IN_MEMORY=2):
        assert len(found(shelf, clinic, "torres")) == 3
        kept = len(readings())
        assert len(found(shelf, clinic, "torres")) == 3
        assert len(readings()) == kept


@pytest.mark.django_db
def test_a_search_that_reads_nothing_new_is_one_query(
    worker: Finds, clinic: Clinic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    PatientFactory.create_batch(5, clinic=clinic)
    worker("torres")
    with django_assert_num_queries(1):
        worker("torres")


@pytest.mark.django_db(transaction=True)
def test_a_damaged_record_is_left_out_and_named_in_the_log_and_hides_no_other(
    worker: Finds, ana: Patient, bea: Patient, caplog: pytest.LogCaptureFixture
) -> None:
    with connection.cursor() as cursor, caplog.at_level(logging.ERROR):
        cursor.execute("SELECT given_name FROM patients_patient WHERE id = %s", [ana.pk])
        (stored,) = cursor.fetchone()
        cursor.execute(
            "UPDATE patients_patient SET given_name = family_name WHERE id = %s", [ana.pk]
        )
        assert worker("torres") == []
        assert worker("lopez") == [bea.pk.hex]
        assert [getattr(entry, "patient", None) for entry in caplog.records] == [ana.pk]
        assert "Torres" not in caplog.text
        cursor.execute(
            "UPDATE patients_patient SET given_name = %s WHERE id = %s", [stored, ana.pk]
        )
        assert worker("torres") == [ana.pk.hex]
