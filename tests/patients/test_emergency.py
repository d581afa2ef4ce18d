"""Opening a record in an emergency: who may, whose, how long, who is told and who judges it."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models.functions import Now

from patients import emergency
from patients.emergency import PURPOSES, find_by_identity
from patients.models import AuditEntry, BreakGlassGrant, GrantKind, Patient
from patients.models.audit import Act
from providers.models import Clinic, Provider, Role
from scheduling import notes
from scheduling.models import Appointment, VisitNote
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    UserFactory,
)
from tests.refusals import refused_by

pytestmark = pytest.mark.django_db

EMERGENCY, OVERSIGHT = GrantKind.EMERGENCY, GrantKind.OVERSIGHT
BORN = date(1961, 4, 7)
REASON = "Collapsed in the waiting room"


def member(clinic: Clinic, role: Role) -> User:
    return MembershipFactory.create(clinic=clinic, role=role).user


def opened(patient: Patient, by: User, kind: GrantKind = EMERGENCY) -> BreakGlassGrant:
    purpose = PURPOSES[kind][0]
    return emergency.open_record(patient=patient, kind=kind, purpose=purpose, reason=REASON, by=by)


def expire(grant: BreakGlassGrant) -> None:
    BreakGlassGrant.objects.filter(pk=grant.pk).update(
        granted_at=Now() - timedelta(minutes=60), expires_at=Now()
    )


@pytest.fixture
def visit(provider: Provider, patient: Patient) -> Appointment:
    """A visit with a note, by a provider who has the role."""
    MembershipFactory.create(user=provider.user, clinic=provider.clinic, role=Role.PROVIDER)
    visit = AppointmentFactory.create(provider=provider, patient=patient)
    assert provider.user is not None
    notes.write_note(appointment=visit, text="Sleeps badly", seen="", by=provider.user)
    return visit


def test_an_open_record_shows_one_patient_their_visits_and_to_a_provider_the_notes(
    visit: Appointment, clinic: Clinic
) -> None:
    neighbour = AppointmentFactory.create(provider=visit.provider)
    colleague = member(clinic, Role.PROVIDER)
    assert not Patient.objects.visible_to(colleague).exists()
    opened(visit.patient, colleague)
    assert list(Patient.objects.visible_to(colleague)) == [visit.patient]
    assert list(Appointment.objects.visible_to(colleague)) == [visit]
    assert [note.appointment for note in VisitNote.objects.visible_to(colleague)] == [visit]
    assert neighbour not in Appointment.objects.visible_to(colleague)


def test_a_receptionist_never_reads_a_note_even_in_an_emergency(
    visit: Appointment, clinic: Clinic
) -> None:
    desk = member(clinic, Role.RECEPTIONIST)
    opened(visit.patient, desk)
    assert not VisitNote.objects.visible_to(desk).exists()


def test_a_privacy_officer_sees_who_and_when_and_no_note(
    visit: Appointment, clinic: Clinic
) -> None:
    officer = member(clinic, Role.PRIVACY_OFFICER)
    grant = opened(visit.patient, officer, OVERSIGHT)
    assert list(Patient.objects.visible_to(officer)) == [visit.patient]
    assert list(Appointment.objects.visible_to(officer)) == [visit]
    assert not VisitNote.objects.visible_to(officer).exists()
    assert grant.expires_at - grant.granted_at == timedelta(minutes=15)


def test_after_an_hour_by_the_databases_clock_it_is_closed(
    visit: Appointment, clinic: Clinic
) -> None:
    colleague = member(clinic, Role.PROVIDER)
    grant = opened(visit.patient, colleague)
    assert grant.expires_at - grant.granted_at == timedelta(minutes=60)
    expire(grant)
    assert not Patient.objects.visible_to(colleague).exists()
    assert not Appointment.objects.visible_to(colleague).exists()
    assert not VisitNote.objects.visible_to(colleague).exists()


def test_ending_it_closes_it_at_once_and_only_ones_own(patient: Patient, clinic: Clinic) -> None:
    user, other = member(clinic, Role.PROVIDER), member(clinic, Role.PROVIDER)
    grant = opened(patient, user)
    emergency.end(grant=grant, by=other)
    assert Patient.objects.visible_to(user).exists()
    emergency.end(grant=grant, by=user)
    assert not Patient.objects.visible_to(user).exists()
    ended = BreakGlassGrant.objects.get(pk=grant.pk).expires_at
    emergency.end(grant=grant, by=user)
    assert BreakGlassGrant.objects.get(pk=grant.pk).expires_at == ended


def test_it_ends_with_the_role(patient: Patient, clinic: Clinic) -> None:
    held = MembershipFactory.create(clinic=clinic, role=Role.PROVIDER)
    opened(patient, held.user)
    held.is_active = False
    held.save()
    assert not Patient.objects.visible_to(User.objects.get(pk=held.user.pk)).exists()


WHO_MAY = {
    (EMERGENCY, Role.RECEPTIONIST),
    (EMERGENCY, Role.PROVIDER),
    (OVERSIGHT, Role.PRIVACY_OFFICER),
}


@pytest.mark.parametrize(("kind", "role"), itertools.product(GrantKind, Role))
def test_only_named_roles_of_the_patients_clinic_open_a_record(
    kind: GrantKind, role: Role, patient: Patient, clinic: Clinic
) -> None:
    here, elsewhere = member(clinic, role), member(ClinicFactory.create(), role)
    if (kind, role) in WHO_MAY:
        assert opened(patient, here, kind).user == here
    else:
        with pytest.raises(PermissionDenied):
            opened(patient, here, kind)
    with pytest.raises(PermissionDenied):
        opened(patient, elsewhere, kind)


def test_a_superuser_without_a_role_and_a_purpose_of_another_kind_are_refused(
    patient: Patient, clinic: Clinic
) -> None:
    with pytest.raises(PermissionDenied):
        opened(patient, UserFactory.create(is_superuser=True))
    with pytest.raises(PermissionDenied):
        emergency.open_record(
            patient=patient,
            kind=EMERGENCY,
            purpose="COMPLAINT",
            reason=REASON,
            by=member(clinic, Role.PROVIDER),
        )


def test_opening_ending_and_reviewing_are_on_the_record(patient: Patient, clinic: Clinic) -> None:
    user, officer = member(clinic, Role.PROVIDER), member(clinic, Role.PRIVACY_OFFICER)
    grant = opened(patient, user)
    emergency.end(grant=grant, by=user)
    emergency.review(grant=grant, verdict="JUSTIFIED", note="", by=officer)
    rows = AuditEntry.objects.filter(object_pk=str(grant.pk)).order_by("timestamp")
    assert [(row.action, row.actor_id) for row in rows] == [
        (Act.EMERGENCY, user.pk),
        (Act.UPDATE, user.pk),
        (Act.REVIEW, officer.pk),
    ]
    assert all(row.patient_ids == [patient.pk] and row.clinic_id == clinic.pk for row in rows)
    assert not any(REASON in str(vars(row)) for row in rows)


def test_the_clinics_officers_are_told_without_a_word_about_the_patient(
    patient: Patient, clinic: Clinic, django_capture_on_commit_callbacks: Any
) -> None:
    officer = member(clinic, Role.PRIVACY_OFFICER)
    gone = member(clinic, Role.PRIVACY_OFFICER)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    member(ClinicFactory.create(), Role.PRIVACY_OFFICER)
    with django_capture_on_commit_callbacks(execute=True):
        opened(patient, member(clinic, Role.PROVIDER))
    assert [message.to for message in mail.outbox] == [[officer.email]]
    said = f"{mail.outbox[0].subject} {mail.outbox[0].body}"
    assert "/emergency/reviews/" in said
    for told in (patient.given_name, patient.family_name, REASON, str(patient.pk)):
        assert told not in said


def test_an_officers_own_look_mails_nobody(
    patient: Patient, clinic: Clinic, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        opened(patient, member(clinic, Role.PRIVACY_OFFICER), OVERSIGHT)
    assert not mail.outbox


def test_a_review_is_written_once_by_another_officer_of_the_clinic(
    patient: Patient, clinic: Clinic
) -> None:
    held = MembershipFactory.create(clinic=clinic, role=Role.PROVIDER)
    MembershipFactory.create(clinic=clinic, role=Role.PRIVACY_OFFICER, user=held.user)
    stranger = member(ClinicFactory.create(), Role.PRIVACY_OFFICER)
    grant = opened(patient, held.user)
    for nobody in (held.user, stranger, member(clinic, Role.RECEPTIONIST)):
        with pytest.raises(PermissionDenied):
            emergency.review(grant=grant, verdict="JUSTIFIED", note="", by=nobody)
    officer = member(clinic, Role.PRIVACY_OFFICER)
    emergency.review(grant=grant, verdict="FOLLOW_UP", note="Call them", by=officer)
    with pytest.raises(emergency.AlreadyReviewed):
        emergency.review(grant=grant, verdict="JUSTIFIED", note="", by=officer)
    kept = BreakGlassGrant.objects.get(pk=grant.pk)
    assert (kept.verdict, kept.note, kept.reviewed_by) == ("FOLLOW_UP", "Call them", officer)


def test_the_reason_and_the_note_stand_sealed(patient: Patient, clinic: Clinic) -> None:
    grant = opened(patient, member(clinic, Role.PROVIDER))
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM patients_breakglassgrant WHERE id = %s", [grant.pk])
        (raw,) = cursor.fetchone()
    assert REASON not in raw


@pytest.fixture
def rosa(clinic: Clinic) -> Patient:
    return PatientFactory.create(
        clinic=clinic, given_name="Rosa", family_name="Núñez-Prado", dob=BORN
    )


@pytest.mark.parametrize(
    ("given_name", "family_name", "dob", "is_found"),
    [
        ("Rosa", "Núñez-Prado", BORN, True),
        ("ROSA", "nunez prado", BORN, True),
        ("Núñez-Prado", "Rosa", BORN, True),
        ("Rosa", "Núñez-Prado", BORN + timedelta(days=1), False),
        ("Rosa", "Núñez", BORN, False),
        ("Rose", "Núñez-Prado", BORN, False),
        ("R", "Núñez-Prado", BORN, False),
    ],
)
def test_a_patient_is_found_by_the_exact_full_name_and_birthday_only(
    given_name: str, family_name: str, dob: date, is_found: bool, rosa: Patient, clinic: Clinic
) -> None:
    found = find_by_identity(
        clinics=[clinic], given_name=given_name, family_name=family_name, dob=dob
    )
    assert found == (rosa if is_found else None)


def test_twins_of_a_name_and_strangers_are_not_found(rosa: Patient, clinic: Clinic) -> None:
    names: dict[str, Any] = {"given_name": "Rosa", "family_name": "Núñez-Prado", "dob": BORN}
    assert find_by_identity(clinics=[ClinicFactory.create()], **names) is None
    PatientFactory.create(clinic=clinic, **names)
    assert find_by_identity(clinics=[clinic], **names) is None


def _grant(patient: Patient, **values: Any) -> BreakGlassGrant:
    user = member(patient.clinic, Role.PROVIDER)
    wanted = {"granted_at": Now(), "expires_at": Now() + timedelta(minutes=60)}
    return BreakGlassGrant.objects.create(
        user=user,
        patient=patient,
        kind=EMERGENCY,
        purpose="TREATMENT",
        reason=REASON,
        **wanted | values,
    )


def test_the_database_itself_refuses_a_longer_one(patient: Patient) -> None:
    with refused_by("grant_lasts_an_hour_at_most"):
        _grant(patient, expires_at=Now() + timedelta(minutes=61))


def test_the_database_itself_refuses_half_a_review(patient: Patient) -> None:
    with refused_by("grant_review_is_whole"):
        _grant(patient, reviewed_at=Now())


def test_the_database_itself_refuses_a_review_of_ones_own(patient: Patient) -> None:
    grant = _grant(patient)
    grant.reviewed_by, grant.reviewed_at, grant.verdict = grant.user, Now(), "JUSTIFIED"
    with refused_by("grant_not_reviewed_by_its_user"):
        grant.save(update_fields=["reviewed_by", "reviewed_at", "verdict"])
