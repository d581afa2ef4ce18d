"""Two records become one and part again: what moves, what the record says, whose account opens."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from patients.merging import (
    Apart,
    CannotJoin,
    Choices,
    LaterJoined,
    TakenApart,
    ids_of,
    merge,
    unmerge,
)
from patients.models import (
    AuditEntry,
    CareRelationship,
    MatchCandidate,
    Patient,
    PatientIdentifier,
    PatientMerge,
    contact_index,
)
from patients.models.audit import Act
from patients.registration import (
    Details,
    DetailsChanged,
    account_for,
    register,
    stamp_of,
    update_details,
)
from providers.models import Clinic
from tests.factories import PatientFactory, ProviderFactory, UserFactory

pytestmark = pytest.mark.django_db
ADA = Details(
    given_name="Ada",
    family_name="Moreno",
    dob=date(1984, 2, 29),
    email="ada@mail.example",
    phone="+12125550100",
)
STAYS = {
    "patients.breakglassgrant": "given for one record, for an hour at most",
    "patients.matchcandidate": "moved pair by pair, the order of a pair may turn",
    "patients.patientmerge": "the record of the joining itself",
}
BY_HAND = {"patients.patient": "records joined before point to the survivor"}


@pytest.fixture
def keep(clinic: Clinic) -> Patient:
    return register(clinic=clinic, details=ADA)


@pytest.fixture
def away(clinic: Clinic) -> Patient:
    return register(
        clinic=clinic,
        details=replace(ADA, family_name="Moreno-Ruiz", email="old@mail.example", city="Troy"),
    )


@pytest.fixture
def somebody(db: None) -> User:
    return UserFactory.create()


def join(keep: Patient, away: Patient, by: User, now: datetime, *from_away: str) -> PatientMerge:
    keep, away = (Patient.objects.get(pk=record.pk) for record in (keep, away))
    choices = Choices(from_away=from_away, seen=(stamp_of(keep), stamp_of(away)))
    return merge(keep=keep, away=away, choices=choices, by=by, now=now)


def part(done: PatientMerge, by: User, now: datetime) -> Apart:
    return unmerge(merge=done, by=by, now=now)


def fresh(record: Patient) -> Patient:
    return Patient.objects.get(pk=record.pk)


def everything(record: Patient) -> dict[str, Any]:
    """Return all that a record says, points to, and that points to it."""
    row = fresh(record)
    columns = {f.attname: getattr(row, f.attname) for f in Patient._meta.concrete_fields}
    hanging = {
        relation.related_model._meta.label: sorted(
            str(pk)
            for pk in relation.related_model._default_manager.filter(
                **{relation.field.name: row}
            ).values_list("pk", flat=True)
        )
        for relation in Patient._meta.related_objects
        if relation.related_model is not PatientMerge
    }
    return columns | hanging


def test_every_table_that_names_a_patient_is_moved_or_stays_for_a_reason(
    clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    moved = {
        "patients.patientidentifier",
        "patients.carerelationship",
        "patients.patientuserobjectpermission",
        "patients.patientgroupobjectpermission",
        "scheduling.appointment",
        "scheduling.slothold",
        "scheduling.waitlistentry",
        "reminders.consentchange",
        "reminders.contactpreference",
        "reminders.delivery",
        "reminders.inboundtext",
        "reminders.notice",
        "reminders.pushsubscription",
        "emr.emrtask",
        "emr.inboundmessage",
        "emr.outboundmessage",
        "emr.patientmatch",
        "emr.syncconflict",
    }
    named = {
        model._meta.label_lower
        for model in apps.get_models()
        for f in model._meta.concrete_fields
        if f.related_model is Patient
    }
    assert named == moved | STAYS.keys() | BY_HAND.keys()


def test_the_other_record_points_to_the_survivor_and_says_what_it_said(
    keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    join(keep, away, somebody, now)
    gone = fresh(away)
    assert gone.merged_into == keep
    assert gone.full_name == "Ada Moreno-Ruiz"
    assert ids_of(keep) == [keep.pk, away.pk]


def test_the_survivor_says_what_was_chosen_and_what_only_the_other_knew(
    keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    done = join(keep, away, somebody, now, "name")
    kept = fresh(keep)
    assert (kept.full_name, kept.email, kept.city) == (
        "Ada Moreno-Ruiz",
        "ada@mail.example",
        "Troy",
    )
    replaced = {change["column"]: change["was"] for change in json.loads(done.changes)}
    assert replaced == {"family_name": "Moreno", "city": ""}


def test_what_was_replaced_stands_sealed_and_what_moved_as_ids_alone(
    keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    PatientIdentifier.objects.create(patient=away, source_system="urn:a", value="88121")
    done = join(keep, away, somebody, now, "name")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM patients_patientmerge AS m")
        stored = cursor.fetchone()[0]
    for word in ("Moreno", "Troy", "88121", "mail.example"):
        assert word not in stored
    assert all(UUID(pk) for ids in done.moved.values() for pk in ids)


def test_numbers_ties_and_earlier_joined_records_move_and_come_back(
    clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    earlier = PatientFactory.create(clinic=clinic)
    join(away, earlier, somebody, now)
    number = PatientIdentifier.objects.create(patient=away, source_system="urn:a", value="1")
    doctor, both = ProviderFactory.create_batch(2, clinic=clinic)
    tie = CareRelationship.objects.create(patient=away, provider=doctor, kind="VISIT", since=now)
    day = timedelta(days=1)
    for record, until in ((keep, now + day), (away, now + 9 * day)):
        CareRelationship.objects.create(
            patient=record, provider=both, kind="VISIT", since=now, until=until
        )
    before = everything(keep), everything(away)

    done = join(keep, away, somebody, now)

    number.refresh_from_db()
    tie.refresh_from_db()
    assert number.patient == tie.patient == fresh(earlier).merged_into == keep
    assert keep.relationships.get(provider=both).until == now + 9 * day
    part(done, somebody, now)
    assert (everything(keep), everything(away)) == before
    assert keep.relationships.get(provider=both).until == now + day


def test_what_came_since_stays_with_the_survivor(
    clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    done = join(keep, away, somebody, now, "name", "email")
    new = PatientIdentifier.objects.create(patient=keep, source_system="urn:a", value="2")
    kept = fresh(keep)
    update_details(
        patient=kept, details=replace(Details.of(kept), family_name="Vega"), seen=stamp_of(kept)
    )
    apart = part(done, somebody, now)
    new.refresh_from_db()
    assert (new.patient, apart.kept_values) == (keep, ["family_name"])
    kept = fresh(keep)
    assert (kept.family_name, kept.email, kept.city) == ("Vega", "ada@mail.example", "")


def test_a_row_that_went_elsewhere_meanwhile_is_left_there(
    clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    number = PatientIdentifier.objects.create(patient=away, source_system="urn:a", value="1")
    done = join(keep, away, somebody, now)
    third = PatientFactory.create(clinic=clinic)
    PatientIdentifier.objects.filter(pk=number.pk).update(patient=third)
    assert part(done, somebody, now).moved == {}
    number.refresh_from_db()
    assert number.patient == third


def test_other_suspicions_about_the_record_become_the_survivors(
    clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    third = PatientFactory.create(clinic=clinic)
    made = [
        MatchCandidate.objects.create(
            clinic=clinic, one=one, other=other, chance=0.9, band="POSSIBLE"
        )
        for one, other in (
            sorted(both, key=lambda p: p.pk) for both in ((keep, away), (away, third))
        )
    ]
    before = [(pair.one_id, pair.other_id, pair.state) for pair in made]
    done = join(keep, away, somebody, now)
    for pair in made:
        pair.refresh_from_db()
    assert (made[0].state, made[0].decided_by) == ("MERGED", somebody)
    assert {made[1].one_id, made[1].other_id} == {keep.pk, third.pk}
    part(done, somebody, now)
    for pair in made:
        pair.refresh_from_db()
    assert [(pair.one_id, pair.other_id, pair.state) for pair in made] == before


def test_both_acts_leave_a_row_that_names_both(
    clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
) -> None:
    part(join(keep, away, somebody, now, "name"), somebody, now)
    apart, joined = AuditEntry.objects.filter(action=Act.MERGE).order_by("-id")
    for row in (joined, apart):
        assert set(row.patient_ids) == {keep.pk, away.pk}
        assert (row.actor, row.clinic, row.purpose) == (somebody, clinic, "joining_records")
    assert "family_name" in joined.field_names


class TestRefused:
    def test_the_same_record_twice(self, keep: Patient, somebody: User, now: datetime) -> None:
        with pytest.raises(CannotJoin):
            join(keep, keep, somebody, now)

    def test_records_of_two_clinics(self, keep: Patient, somebody: User, now: datetime) -> None:
        with pytest.raises(CannotJoin):
            join(keep, PatientFactory.create(), somebody, now)

    def test_a_record_that_was_joined_already(
        self, clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        join(keep, away, somebody, now)
        for one, other in (
            (keep, away),
            (away, keep),
            (away, PatientFactory.create(clinic=clinic)),
        ):
            with pytest.raises(CannotJoin):
                join(one, other, somebody, now)

    def test_a_record_that_was_changed_since_it_was_compared(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
        told = replace(Details.of(away), city="Albany")
        update_details(patient=away, details=told, seen=stamp_of(away))
        with pytest.raises(DetailsChanged):
            merge(keep=keep, away=away, choices=choices, by=somebody, now=now)
        assert fresh(away).merged_into is None
        assert not PatientMerge.objects.exists()

    def test_to_part_what_was_parted_or_is_part_of_another_by_now(
        self, clinic: Clinic, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        done = join(keep, away, somebody, now)
        last = PatientFactory.create(clinic=clinic)
        later = join(last, keep, somebody, now)
        assert fresh(away).merged_into == last
        with pytest.raises(LaterJoined):
            part(done, somebody, now)
        part(later, somebody, now)
        assert fresh(away).merged_into == keep
        part(done, somebody, now)
        with pytest.raises(TakenApart):
            part(done, somebody, now)

    def test_to_change_or_add_to_a_record_that_was_joined(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        join(keep, away, somebody, now)
        gone = fresh(away)
        told = replace(Details.of(gone), city="Albany")
        with pytest.raises(DetailsChanged):
            update_details(patient=gone, details=told, seen=stamp_of(gone))
        with pytest.raises(IntegrityError) as refusal, transaction.atomic():
            PatientIdentifier.objects.create(patient=gone, source_system="urn:a", value="3")
        assert refusal.value.__cause__.diag.constraint_name == "patient_not_joined"  # type: ignore[union-attr]


class TestWhoseAccount:
    """An account opens what its proven address is on file for, before, between and after."""

    @staticmethod
    def prove(email: str) -> User:
        account = account_for(contact_index("email", email))
        assert account is not None
        return account

    def test_the_survivors_own_account_stays(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        account, others = self.prove(ADA.email), self.prove("old@mail.example")
        done = join(keep, away, somebody, now)
        assert (fresh(keep).user, fresh(away).user) == (account, None)
        part(done, somebody, now)
        assert (fresh(keep).user, fresh(away).user) == (account, others)

    def test_an_account_comes_along_only_with_the_address_that_it_proved(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        account = self.prove("old@mail.example")
        assert fresh(away).user == account
        join(keep, away, somebody, now)
        assert fresh(keep).user is None

    def test_with_its_address_the_account_opens_the_survivor_and_the_other_does_not(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        account, others = self.prove(ADA.email), self.prove("old@mail.example")
        done = join(keep, away, somebody, now, "email")
        assert fresh(keep).user == others
        part(done, somebody, now)
        assert (fresh(keep).user, fresh(away).user) == (account, others)

    def test_one_address_on_both_brings_its_account(
        self, clinic: Clinic, keep: Patient, somebody: User, now: datetime
    ) -> None:
        double = register(clinic=clinic, details=ADA)
        account = self.prove(ADA.email)
        Patient.objects.filter(pk=keep.pk).update(user=None)
        join(keep, double, somebody, now)
        assert fresh(keep).user == account

    def test_an_account_that_a_lost_number_may_have_opened_opens_the_survivor_no_more(
        self, clinic: Clinic, keep: Patient, somebody: User, now: datetime
    ) -> None:
        double = register(clinic=clinic, details=replace(ADA, phone="+12125550199"))
        account = account_for(contact_index("phone", ADA.phone))
        assert fresh(keep).user == account
        done = join(keep, double, somebody, now, "phone")
        assert fresh(keep).user is None
        part(done, somebody, now)
        assert fresh(keep).user == account

    def test_an_account_of_the_others_number_does_not_come_along_without_it(
        self, clinic: Clinic, keep: Patient, somebody: User, now: datetime
    ) -> None:
        double = register(clinic=clinic, details=replace(ADA, phone="+12125550199"))
        assert account_for(contact_index("phone", "+12125550199")) == fresh(double).user
        join(keep, double, somebody, now)
        assert fresh(keep).user is None

    def test_an_account_does_not_come_back_to_a_record_whose_address_changed_since(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        self.prove(ADA.email)
        done = join(keep, away, somebody, now, "email")
        assert fresh(keep).user is None
        kept = fresh(keep)
        told = replace(Details.of(kept), email="new@mail.example")
        update_details(patient=kept, details=told, seen=stamp_of(kept))
        part(done, somebody, now)
        assert (fresh(keep).email, fresh(keep).user) == ("new@mail.example", None)

    def test_an_account_that_came_since_goes_with_the_address(
        self, keep: Patient, away: Patient, somebody: User, now: datetime
    ) -> None:
        done = join(keep, away, somebody, now, "email")
        self.prove("old@mail.example")
        assert fresh(keep).user is not None
        part(done, somebody, now)
        assert (fresh(keep).email, fresh(keep).user) == (ADA.email, None)
