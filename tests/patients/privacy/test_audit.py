"""The audit's rows: who wrote them, what they say, and that they stay as they are."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients import looks
from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.audit import Record, Who
from providers.models import Clinic, Role
from tests.factories import MembershipFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
ALL = AuditEntry.objects.order_by("id")


def newest() -> AuditEntry:
    entry: AuditEntry = ALL.latest("id")
    return entry


def names_nobody() -> Who:
    return Who(system="system:test")


def test_a_row_says_who_did_what_to_whom_and_why(clinic: Clinic, patient: Patient) -> None:
    receptionist = UserFactory.create()
    MembershipFactory.create(user=receptionist, clinic=clinic, role=Role.RECEPTIONIST)
    audit.record(
        action=Act.SHARE,
        patients=[patient.pk],
        about=patient,
        fields=["given_name"],
        changes={"language": ["en", "es"]},
        purpose="care",
        by=receptionist,
    )
    entry = newest()
    assert (entry.actor, entry.role, entry.clinic) == (receptionist, "RECEPTIONIST", clinic)
    assert (entry.action, entry.outcome, entry.purpose) == (Act.SHARE, Outcome.DONE, "care")
    assert (entry.object_pk, entry.patient_ids) == (str(patient.pk), [patient.pk])
    assert (entry.field_names, entry.changes) == (["given_name"], {"language": ["en", "es"]})
    assert entry.content_type is not None
    assert entry.content_type.model_class() is Patient
    assert abs(entry.timestamp - timezone.now()) < timedelta(minutes=1)


def test_several_rows_are_written_by_one_statement(clinic: Clinic) -> None:
    people = [PatientFactory.create(clinic=clinic) for _ in range(3)]
    before = ALL.count()
    rows = [
        audit.row_for(
            action=Act.UPDATE, patients=[p.pk], model=Patient, pk=p.pk, system="system:test"
        )
        for p in people
    ]
    with CaptureQueriesContext(connection) as asked:
        audit.write_all(rows)
        audit.write_all([])
    assert len(asked) == 1
    written = list(ALL.all())[before:]
    assert [row.patient_ids for row in written] == [[person.pk] for person in people]


def test_the_clinic_of_a_row_is_the_patients_where_no_other_is_told(patient: Patient) -> None:
    audit.record(action=Act.SEND, patients=[patient.pk], system="system:reminders")
    assert newest().clinic == patient.clinic


def test_a_patients_account_acts_in_a_role_of_its_own(patient: Patient) -> None:
    account = UserFactory.create(username="p-1")
    Patient.objects.filter(pk=patient.pk).update(user=account)
    audit.record(action=Act.ACCESS, patients=[patient.pk], by=account)
    assert newest().role == "PATIENT"


def test_the_database_sets_time_and_transaction_whatever_it_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO patients_auditentry (object_pk, object_repr, action, changes_text, role,"
            " system_actor, page, purpose, outcome, request_id, browser, patient_ids, field_names,"
            " timestamp, written_in, written_on) VALUES ('', '', 3, '', '', 'system:forger', '',"
            " '', 'DONE', '', '', '{}', '{}', '2001-01-01', '7', 7)"
        )
        cursor.execute(
            "SELECT pg_current_xact_id()::text, system_identifier FROM pg_control_system()"
        )
        here = cursor.fetchone()
    entry = newest()
    assert entry.timestamp.year > 2001
    assert (str(entry.written_in), entry.written_on) == here


def test_a_row_without_an_actor_is_refused() -> None:
    with pytest.raises(IntegrityError, match="audit_names_an_actor"), transaction.atomic():
        audit.write({"action": 3})


def test_an_unknown_outcome_is_refused() -> None:
    with pytest.raises(IntegrityError, match="audit_outcome_known"), transaction.atomic():
        audit.write({"action": 3, "system": "system:test", "outcome": "MAYBE"})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients_auditentry SET purpose = 'another'",
        "DELETE FROM patients_auditentry",
        "TRUNCATE patients_auditentry",
        "UPDATE patients_auditentry SET purpose = 'another' WHERE false",
    ],
)
def test_nobody_rewrites_the_record(statement: str) -> None:
    audit.record(action=Act.ACCESS, system="system:test")
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert newest().purpose == ""


def test_a_row_outlives_the_user_it_names() -> None:
    gone = UserFactory.create()
    audit.record(action=Act.ACCESS, by=gone)
    key = gone.pk
    User.objects.filter(pk=key)._raw_delete("default")
    entry = AuditEntry.objects.get(actor_id=key, action=Act.ACCESS)
    shown = AuditEntry.objects.select_related("actor").get(pk=entry.pk)
    assert (shown.actor_id, shown.actor) == (key, None)


def test_a_job_leaves_one_row_that_names_everybody_it_opened(clinic: Clinic) -> None:
    people = PatientFactory.create_batch(3, clinic=clinic)
    before = ALL.count()
    with audit.keeping_record(system="system:reminders", purpose="reminder", action=Act.SEND):
        for person in Patient.objects.filter(pk__in=[p.pk for p in people]):
            assert person.email is not None
    entry = newest()
    assert ALL.count() == before + 1
    assert set(entry.patient_ids) == {person.pk for person in people}
    assert entry.field_names == ["email"]
    assert (entry.system_actor, entry.actor_id) == ("system:reminders", None)
    assert (entry.action, entry.purpose, entry.clinic) == (Act.SEND, "reminder", clinic)


def test_a_job_that_fails_says_so_and_fails(patient: Patient) -> None:
    known = Patient.objects.get(pk=patient.pk)
    with (
        pytest.raises(LookupError),
        audit.keeping_record(system="system:import", purpose="import"),
    ):
        assert known.given_name
        raise LookupError
    entry = newest()
    assert (entry.outcome, entry.patient_ids) == (Outcome.FAILED, [patient.pk])


def test_a_job_whose_transaction_broke_raises_its_own_error() -> None:
    with (
        pytest.raises(IntegrityError, match="audit_names_an_actor"),
        transaction.atomic(),
        audit.keeping_record(system="system:import", purpose="import"),
    ):
        audit.write({"action": 3})


def test_what_a_job_opens_for_nobody_is_not_in_the_requests_record(patient: Patient) -> None:
    kept = Record(who=names_nobody, page="desk:find", request_id="r1")
    with audit.opened(kept):
        with audit.keeping_record(system="system:search", purpose="index"):
            looks.note(patient.pk, "given_name")
        looks.note(None, "dob")
    assert kept.look.patients == set()
    assert kept.look.fields == {"dob"}
    assert (newest().page, newest().request_id) == ("desk:find", "r1")


def test_a_row_in_a_request_is_by_whoever_keeps_its_record(patient: Patient) -> None:
    user = UserFactory.create()
    kept = Record(who=lambda: Who(user=user.pk), page="desk:patient", purpose="scheduling")
    with audit.opened(kept):
        audit.mark(purpose="emergency", action=Act.EMERGENCY)
        audit.record(action=Act.UPDATE, patients=[patient.pk])
    entry = newest()
    assert (entry.actor, entry.page, entry.purpose) == (user, "desk:patient", "emergency")
    assert kept.action is Act.EMERGENCY


def test_what_nobody_keeps_a_record_of_is_the_processs_own(patient: Patient) -> None:
    audit.record(action=Act.UPDATE, patients=[patient.pk])
    assert newest().system_actor == audit.UNATTENDED
    assert newest().page


def test_a_denied_try_names_the_patient_it_asked_for(patient: Patient) -> None:
    stranger = uuid4()
    denied = {"action": 3, "system": "system:visitor", "outcome": "DENIED"}
    audit.write(denied | {"asked": str(patient.pk)})
    assert newest().patient_ids == [patient.pk]
    audit.write(denied | {"asked": str(stranger)})
    assert newest().patient_ids == []
