"""Sharing a record with a colleague: guardian's row and the live tie open it together."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from guardian.shortcuts import assign_perm, get_perms, remove_perm

from patients import sharing
from patients.models import AuditEntry, CareRelationship, Patient
from patients.models.audit import Act
from patients.models.people import SHARED_RECORD
from providers.models import Clinic, Provider, Role
from scheduling import notes
from scheduling.models import Appointment, VisitNote, WaitlistEntry
from tests.factories import (
    AppointmentFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
)

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def at_work(clinic: Clinic) -> Provider:
    provider = ProviderFactory.create(clinic=clinic, working=True)
    MembershipFactory.create(user=provider.user, clinic=clinic, role=Role.PROVIDER)
    return provider


def user_of(provider: Provider) -> User:
    assert provider.user is not None
    return User.objects.get(pk=provider.user.pk)


@pytest.fixture
def treating(clinic: Clinic) -> Provider:
    return at_work(clinic)


@pytest.fixture
def colleague(clinic: Clinic) -> Provider:
    return at_work(clinic)


@pytest.fixture
def visit(treating: Provider, patient: Patient) -> Appointment:
    """What makes the patient the treating provider's own, with a note of theirs."""
    visit = AppointmentFactory.create(provider=treating, patient=patient)
    notes.write_note(appointment=visit, text="Sleeps badly", seen="", by=user_of(treating))
    return visit


def shared(visit: Appointment, colleague: Provider, now: datetime) -> CareRelationship:
    return sharing.share(
        patient=visit.patient,
        colleague=colleague,
        until=now + WEEK,
        by=user_of(visit.provider),
        now=now,
    )


def test_a_shared_record_shows_the_patient_and_their_visits_and_no_notes(
    visit: Appointment, colleague: Provider, now: datetime
) -> None:
    AppointmentFactory.create(provider=visit.provider)
    reader = user_of(colleague)
    assert not Patient.objects.visible_to(reader).exists()
    shared(visit, colleague, now)
    assert list(Patient.objects.visible_to(reader)) == [visit.patient]
    assert list(Appointment.objects.visible_to(reader)) == [visit]
    assert not VisitNote.objects.visible_to(reader).exists()


def test_it_ends_by_itself(visit: Appointment, colleague: Provider, now: datetime) -> None:
    tie = shared(visit, colleague, now)
    CareRelationship.objects.filter(pk=tie.pk).update(until=now - timedelta(seconds=1))
    assert not Patient.objects.visible_to(user_of(colleague)).exists()
    assert SHARED_RECORD in get_perms(user_of(colleague), visit.patient)


def test_guardians_row_alone_and_the_tie_alone_open_nothing(
    visit: Appointment, colleague: Provider, now: datetime
) -> None:
    reader = user_of(colleague)
    assign_perm(SHARED_RECORD, reader, visit.patient)
    assert not Patient.objects.visible_to(reader).exists()
    shared(visit, colleague, now)
    remove_perm(SHARED_RECORD, reader, visit.patient)
    assert not Patient.objects.visible_to(reader).exists()
    assert not Appointment.objects.visible_to(reader).exists()


def test_a_share_is_ended_at_once_by_the_treating_provider(
    visit: Appointment, colleague: Provider, now: datetime
) -> None:
    tie = shared(visit, colleague, now)
    with pytest.raises(PermissionDenied):
        sharing.stop_sharing(tie=tie, by=user_of(colleague), now=now)
    sharing.stop_sharing(tie=tie, by=user_of(visit.provider), now=now)
    assert not Patient.objects.visible_to(user_of(colleague)).exists()
    assert get_perms(user_of(colleague), visit.patient) == []


def test_sharing_again_moves_the_end_and_brings_an_ended_one_back(
    visit: Appointment, colleague: Provider, now: datetime
) -> None:
    first = shared(visit, colleague, now)
    sharing.stop_sharing(tie=first, by=user_of(visit.provider), now=now)
    again = shared(visit, colleague, now)
    assert again.pk == first.pk
    assert again.until == now + WEEK
    assert Patient.objects.visible_to(user_of(colleague)).exists()


def test_a_shared_patient_is_not_ones_own_to_share_on(
    visit: Appointment, colleague: Provider, clinic: Clinic, now: datetime
) -> None:
    shared(visit, colleague, now)
    third = at_work(clinic)
    with pytest.raises(PermissionDenied):
        sharing.share(
            patient=visit.patient,
            colleague=third,
            until=now + WEEK,
            by=user_of(colleague),
            now=now,
        )


def test_it_is_shared_with_providers_of_the_own_clinic_only(
    visit: Appointment, clinic: Clinic, now: datetime
) -> None:
    elsewhere = at_work(PatientFactory.create().clinic)
    without_role = ProviderFactory.create(clinic=clinic)
    for nobody in (elsewhere, without_role, visit.provider):
        with pytest.raises(sharing.NoColleague):
            shared(visit, nobody, now)
    assert not CareRelationship.objects.filter(kind="SHARED").exists()


@pytest.mark.parametrize("length", [timedelta(0), timedelta(days=-1), timedelta(days=91)])
def test_it_always_has_an_end_within_90_days(
    length: timedelta, visit: Appointment, colleague: Provider, now: datetime
) -> None:
    with pytest.raises(ValueError, match="end"):
        sharing.share(
            patient=visit.patient,
            colleague=colleague,
            until=now + length,
            by=user_of(visit.provider),
            now=now,
        )


def test_sharing_and_ending_are_on_the_record(
    visit: Appointment, colleague: Provider, now: datetime
) -> None:
    tie = shared(visit, colleague, now)
    sharing.stop_sharing(tie=tie, by=user_of(visit.provider), now=now)
    rows = AuditEntry.objects.filter(action=Act.SHARE).order_by("timestamp")
    assert [row.purpose for row in rows] == ["share", "share_ended"]
    assert all(row.patient_ids == [visit.patient_id] for row in rows)
    assert {row.actor_id for row in rows} == {user_of(visit.provider).pk}


def test_what_the_patient_waits_for_is_not_shared(
    visit: Appointment, colleague: Provider, now: datetime
) -> None:
    WaitlistEntry.objects.create(
        patient=visit.patient,
        clinic=visit.clinic,
        provider=visit.provider,
        appointment_type=visit.appointment_type,
        earliest_desired_date=visit.local_start.date(),
    )
    shared(visit, colleague, now)
    assert WaitlistEntry.objects.visible_to(user_of(visit.provider)).exists()
    assert not WaitlistEntry.objects.visible_to(user_of(colleague)).exists()
