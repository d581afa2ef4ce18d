"""The reports' rows come newest first, each once, however many there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.reports import (
    BadCursor,
    Cursor,
    Wanted,
    looks_of_others,
    part_of,
    what_happened,
    what_was_done_by,
    who_saw,
)
from providers.models import Clinic
from tests.factories import ClinicFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_pages_follow_each_other_without_gap_or_repeat(patient: Patient) -> None:
    for _number in range(23):
        audit.record(action=Act.ACCESS, patients=[patient.pk], system="system:test")
    every = list(who_saw([patient.pk]).order_by("-timestamp", "-id").values_list("pk", flat=True))
    read, after = [], None
    while True:
        found = part_of(who_saw([patient.pk]), after=after, most=5)
        read += [entry.pk for entry in found.entries]
        after = found.next and Cursor.parse(str(found.next))
        if after is None:
            break
    assert read == every
    assert len(read) >= 23


def test_rows_of_one_instant_are_told_apart_by_their_ids(patient: Patient) -> None:
    rows = AuditEntry.objects.order_by("id")
    for _number in range(4):
        audit.record(action=Act.ACCESS, patients=[patient.pk], system="system:same")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE patients_auditentry DISABLE TRIGGER USER")
        cursor.execute("UPDATE patients_auditentry SET timestamp = '2026-01-01T00:00Z'")
        cursor.execute("ALTER TABLE patients_auditentry ENABLE TRIGGER USER")
    same = rows.filter(system_actor="system:same")
    first = part_of(same, after=None, most=2)
    second = part_of(same, after=first.next, most=2)
    found = [entry.pk for entry in [*first.entries, *second.entries]]
    assert found == sorted(same.values_list("pk", flat=True), reverse=True)
    assert second.next is None


@pytest.mark.parametrize("text", ["x", "1", "1-x", "-", "9" * 40 + "-1", "1-2-3", "\0"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        Cursor.parse(text)


def test_a_place_survives_its_address() -> None:
    place = Cursor(datetime(2026, 11, 22, 18, 1, 2, 345678, tzinfo=UTC), 42)
    assert Cursor.parse(str(place)) == place
    assert Cursor.parse("") is None


def test_who_saw_knows_every_id_of_a_person(clinic: Clinic) -> None:
    kept, joined, other = PatientFactory.create_batch(3, clinic=clinic)
    for person in (kept, joined, other):
        audit.record(action=Act.PRINT, patients=[other.pk, person.pk], system="system:test")
    seen = who_saw([kept.pk, joined.pk]).filter(action=Act.PRINT)
    assert {row.patient_ids[1] for row in seen if len(row.patient_ids) > 1} == {kept.pk, joined.pk}


def test_what_somebody_did_elsewhere_is_not_this_officers(clinic: Clinic) -> None:
    user, elsewhere = UserFactory.create(), ClinicFactory.create()
    for place in (clinic, elsewhere, None):
        audit.record(action=Act.PRINT, clinic=place, by=user)
    printed = what_was_done_by(user, clinics=[clinic]).filter(action=Act.PRINT)
    assert {row.clinic_id for row in printed} == {clinic.pk, None}
    assert what_was_done_by(user).filter(action=Act.PRINT).count() == 3


def test_what_happened_is_narrowed_by_act_outcome_and_time(clinic: Clinic) -> None:
    now = timezone.now()
    audit.record(action=Act.PRINT, clinic=clinic, system="system:test")
    audit.record(action=Act.PRINT, clinic=clinic, outcome=Outcome.DENIED, system="system:test")
    today = Wanted(now - DAY, now + DAY, action=Act.PRINT)
    assert what_happened([clinic], today).count() == 2
    denied = Wanted(now - DAY, now + DAY, action=Act.PRINT, outcome=Outcome.DENIED)
    assert what_happened([clinic], denied).count() == 1
    assert what_happened([clinic], Wanted(now - 2 * DAY, now - DAY)).count() == 0
    assert what_happened([ClinicFactory.create()], today).count() == 0


def test_a_patient_reads_what_others_did_and_saw(patient: Patient) -> None:
    own, officer = UserFactory.create(), UserFactory.create()
    before = looks_of_others([patient.pk], besides=own).count()
    audit.record(action=Act.ACCESS, patients=[patient.pk], by=own)
    audit.record(action=Act.ACCESS, patients=[patient.pk], by=officer)
    audit.record(action=Act.SEND, patients=[patient.pk], system="system:reminders")
    audit.record(action=Act.ACCESS, patients=[patient.pk], by=officer, outcome=Outcome.DENIED)
    found = looks_of_others([patient.pk], besides=own)
    assert found.count() == before + 2
    assert not found.filter(actor=own).exists()


def test_who_saw_asks_the_index_of_patients(patient: Patient) -> None:
    audit.record(action=Act.ACCESS, patients=[patient.pk], system="system:test")
    with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        part_of(who_saw([patient.pk]), after=None)
        question = asked.captured_queries[-1]["sql"]
        cursor.execute(f"EXPLAIN {question}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "audit_by_patient" in plan
