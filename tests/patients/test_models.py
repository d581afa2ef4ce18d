from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.utils import timezone

from patients.models import (
    AuditEntry,
    AuditSeal,
    CareRelationship,
    MatchCandidate,
    OutboxHome,
    Patient,
    PatientIdentifier,
    PatientMerge,
)
from providers.models import Clinic, Provider, Role
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory
from tests.refusals import declared_in, refused_by

pytestmark = pytest.mark.django_db


def patient_merged_into_themself() -> None:
    patient = PatientFactory.create()
    Patient.objects.filter(pk=patient.pk).update(merged_into=patient)


def same_identifier_of_two_patients() -> None:
    for patient in PatientFactory.create_batch(2):
        PatientIdentifier.objects.create(patient=patient, source_system="EMR", value="17")


def two_of_a_clinic() -> list[Patient]:
    clinic = ClinicFactory.create()
    pair = PatientFactory.create_batch(2, clinic=clinic)
    return sorted(pair, key=lambda patient: patient.pk)


def suspect(one: Patient, other: Patient, **more: Any) -> None:
    MatchCandidate.objects.create(
        clinic=one.clinic, one=one, other=other, chance=0.9, band="LIKELY", **more
    )


def a_pair_twice() -> None:
    pair = two_of_a_clinic()
    suspect(*pair)
    suspect(*pair)


def join(keep: Patient, away: Patient, **more: Any) -> None:
    PatientMerge.objects.create(
        clinic=keep.clinic,
        keep=keep,
        away=away,
        made_by=UserFactory.create(),
        made_at=timezone.now(),
        **more,
    )


def a_record_joined_twice() -> None:
    pair = two_of_a_clinic()
    join(*pair)
    join(*pair)


def a_seal_over_nothing() -> None:
    digest = bytes(32)
    AuditSeal.objects.create(
        number=1,
        previous=digest,
        cluster=1,
        timeline=1,
        columns=["id"],
        through_in=1,
        through_id=1,
        first_id=1,
        rows=0,
        total=0,
        entries=b"",
        entries_digest=digest,
        sealed_at=timezone.now(),
        key="test",
        signature=bytes(64),
    )


def audited(**values: Any) -> None:
    """Write a row; the trigger puts its own transaction in place of the one given here."""
    row = {"action": 0, "content_type_id": 1, "object_repr": "", "written_in": "1"}
    AuditEntry.objects.create(**{"system_actor": "system:test", **row, **values})


def outbox_home(**values: Any) -> None:
    OutboxHome.objects.create(cluster=1, database=1, released_at=timezone.now(), **values)


VIOLATIONS: dict[str, Callable[[], None]] = {
    "patient_not_merged_into_self": patient_merged_into_themself,
    "patient_identifier_once": same_identifier_of_two_patients,
    "match_pair_once": a_pair_twice,
    "match_pair_in_order": lambda: suspect(*reversed(two_of_a_clinic())),
    "match_decided_by_somebody": lambda: suspect(*two_of_a_clinic(), state="DISTINCT"),
    "patient_merged_once": a_record_joined_twice,
    "merge_of_two": lambda: join(*two_of_a_clinic()[:1] * 2),
    "merge_undone_by_somebody": lambda: join(*two_of_a_clinic(), undone_at=timezone.now()),
    "seal_covers_rows": a_seal_over_nothing,
    "audit_names_an_actor": lambda: audited(system_actor=""),
    "audit_outcome_known": lambda: audited(outcome="MAYBE"),
    "one_outbox_home": lambda: outbox_home(id=2),
}
OTHERS_OWN = {
    "care_relationship_once",
    "grant_lasts_an_hour_at_most",
    "grant_not_reviewed_by_its_user",
    "grant_review_is_whole",
}


@pytest.mark.parametrize("constraint", VIOLATIONS)
def test_the_database_itself_refuses(constraint: str) -> None:
    with refused_by(constraint):
        VIOLATIONS[constraint]()


def test_a_care_relationship_of_one_kind_is_one_row(patient: Patient, provider: Provider) -> None:
    CareRelationship.objects.create(
        patient=patient, provider=provider, kind="VISIT", since=timezone.now()
    )
    with refused_by("care_relationship_once"):
        CareRelationship.objects.create(
            patient=patient, provider=provider, kind="VISIT", since=timezone.now()
        )


def test_every_declared_constraint_is_violated_above() -> None:
    libraries = {name for name in declared_in("patients") if not name.isidentifier()}
    assert declared_in("patients") - libraries == {*VIOLATIONS, *OTHERS_OWN}


def test_what_a_patient_told_us_cannot_be_searched() -> None:
    for search in ({"family_name": "Moreno"}, {"dob__year": 1984}):
        with pytest.raises(FieldError):
            Patient.objects.filter(**search)


def test_a_patient_says_nothing_about_themself_in_text() -> None:
    patient = PatientFactory.create(name="Ada Moreno")
    assert "Moreno" not in str(patient)
    assert "Moreno" not in repr(patient)


def test_the_same_values_come_back() -> None:
    patient = Patient.objects.get(pk=PatientFactory.create(name="Ada Moreno").pk)
    assert patient.full_name == "Ada Moreno"
    assert patient.dob == date(1984, 2, 29)


def test_an_age_grows_on_the_birthday_and_a_leap_days_child_has_one_in_march() -> None:
    patient = PatientFactory.create(dob=date(1984, 2, 29))
    assert patient.age_on(date(2026, 2, 28)) == 41
    assert patient.age_on(date(2026, 3, 1)) == 42
    assert PatientFactory.create(dob=None).age_on(date(2026, 3, 1)) is None


def test_patients_are_found_by_the_contact_they_have_now() -> None:
    patient = PatientFactory.create(email="old@mail.example")
    patient.email = "new@mail.example"
    patient.save(update_fields=["email"])
    assert list(Patient.objects.reached_at(email="new@mail.example")) == [patient]
    assert not Patient.objects.reached_at(email="old@mail.example")


def test_an_empty_contact_finds_nobody() -> None:
    PatientFactory.create(email="", phone="")
    assert not Patient.objects.reached_at()
    assert not Patient.objects.reached_at(email="", phone="")


def test_a_merged_record_is_not_found_by_contact() -> None:
    kept = PatientFactory.create()
    PatientFactory.create(email="twice@mail.example", merged_into=kept)
    assert not Patient.objects.reached_at(email="twice@mail.example")


def test_the_clinics_own_desk_sees_a_patient_and_another_desk_does_not(clinic: Clinic) -> None:
    patient = PatientFactory.create(clinic=clinic)
    owner = MembershipFactory.create(clinic=clinic).user
    stranger = MembershipFactory.create().user
    assert list(Patient.objects.visible_to(owner)) == [patient]
    assert not Patient.objects.visible_to(stranger)


def test_a_provider_sees_own_patients_until_the_relationship_ends(
    patient: Patient, provider: Provider
) -> None:
    now = timezone.now()
    assert provider.user is not None
    MembershipFactory.create(user=provider.user, clinic=provider.clinic, role=Role.PROVIDER)
    own = Patient.objects.visible_to(provider.user)
    assert not own.all()
    tie = CareRelationship.objects.create(
        patient=patient, provider=provider, kind="VISIT", since=now, until=now + timedelta(days=1)
    )
    assert list(own.all()) == [patient]
    CareRelationship.objects.filter(pk=tie.pk).update(until=now - timedelta(days=1))
    assert not own.all()


def test_a_patient_sees_only_themself() -> None:
    user = UserFactory.create()
    own = PatientFactory.create(user=user)
    PatientFactory.create()
    assert list(Patient.objects.visible_to(user)) == [own]
