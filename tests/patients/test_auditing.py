"""Every change of a watched row leaves one of its own, with names of sealed columns alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error, connection
from django.db.models import BinaryField
from django.test.utils import CaptureQueriesContext

from patients import auditing
from patients.fields import SealedMixin
from patients.models import AuditEntry, CareRelationship, Patient, PatientIdentifier
from patients.models.audit import Act
from patients.privacy import audit
from providers.models import Clinic, Membership, Provider, Role
from tests.factories import MembershipFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db


def last_about(row: Any) -> AuditEntry:
    entry: AuditEntry = AuditEntry.objects.filter(object_pk=str(row.pk)).latest("id")
    return entry


def test_a_new_patient_is_recorded_without_what_they_told_us(clinic: Clinic) -> None:
    person = PatientFactory.create(clinic=clinic, name="Zebedee Quillfeather", language="es")
    entry = last_about(person)
    assert (entry.action, entry.patient_ids, entry.clinic) == (Act.CREATE, [person.pk], clinic)
    assert {"given_name", "family_name", "dob", "phone", "email"} <= set(entry.field_names)
    assert entry.changes["language"] == [None, "es"]
    told = str(entry.__dict__)
    for secret in ("Zebedee", "Quillfeather", "1984", person.phone, person.email):
        assert secret not in told


def test_a_changed_patient_is_recorded_by_the_names_of_what_changed(patient: Patient) -> None:
    known = Patient.objects.get(pk=patient.pk)
    known.phone = "+12125550199"
    known.given_name = str(known.given_name)
    known.language = "es"
    known.save()
    entry = last_about(patient)
    assert (entry.action, set(entry.field_names)) == (Act.UPDATE, {"phone", "language"})
    assert entry.changes == {"language": ["en", "es"]}


def test_saving_without_a_change_leaves_no_row(patient: Patient) -> None:
    before = AuditEntry.objects.count()
    Patient.objects.get(pk=patient.pk).save()
    assert AuditEntry.objects.count() == before


def test_a_column_that_is_not_written_has_not_changed(patient: Patient) -> None:
    known = Patient.objects.get(pk=patient.pk)
    known.phone, known.city = "+12125550199", "Astoria"
    known.save(update_fields=["city"])
    assert last_about(patient).field_names == ["city"]


def test_comparing_opens_nothing_for_anybody(patient: Patient) -> None:
    kept = audit.Record(who=lambda: audit.Who(system="system:test"))
    with audit.opened(kept):
        known = Patient.objects.get(pk=patient.pk)
        known.city = "Astoria"
        known.save(update_fields=["city"])
    assert "city" in last_about(patient).field_names
    assert kept.look.fields == set()


def test_a_removed_row_is_recorded(patient: Patient) -> None:
    number = PatientIdentifier.objects.create(
        patient=patient, source_system="old", value="MRN-7781"
    )
    key = str(number.pk)
    number.delete()
    added, removed = AuditEntry.objects.filter(object_pk=key).order_by("id")
    assert (added.action, removed.action) == (Act.CREATE, Act.DELETE)
    assert removed.patient_ids == [patient.pk]
    assert "MRN-7781" not in str(added.__dict__) + str(removed.__dict__)


def test_whose_patient_somebody_becomes_is_recorded(patient: Patient, provider: Provider) -> None:
    tie = CareRelationship.objects.create(
        patient=patient, provider=provider, kind="PRIMARY", since="2026-01-01T00:00Z"
    )
    assert last_about(tie).patient_ids == [patient.pk]


def test_a_role_that_is_given_and_taken_is_recorded(clinic: Clinic) -> None:
    user = UserFactory.create()
    role = MembershipFactory.create(user=user, clinic=clinic, role=Role.CLINIC_ADMIN)
    assert last_about(role).changes["role"] == [None, "CLINIC_ADMIN"]
    role.is_active = False
    role.save(update_fields=["is_active"])
    assert last_about(role).changes == {"is_active": ["True", "False"]}
    Membership.objects.filter(pk=role.pk).delete()
    assert last_about(role).action == Act.DELETE


def test_a_password_says_nothing_and_a_sign_in_costs_nothing() -> None:
    user = UserFactory.create()
    user.set_password("correct horse battery staple")
    with CaptureQueriesContext(connection) as asked:
        user.save(update_fields=["password", "last_login"])
    assert len([q for q in asked if "auditentry" in q["sql"]]) == 0
    entry = AuditEntry.objects.filter(object_pk=str(user.pk)).order_by("id").last()
    assert "password" not in (entry.changes or {})


def test_a_change_whose_row_cannot_be_written_is_not_made(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(row: dict[str, Any]) -> None:
        raise Error("the table is full")

    monkeypatch.setattr(audit, "write", refuse)
    known = Patient.objects.get(pk=patient.pk)
    known.language = "es"
    with pytest.raises(Error):
        known.save()
    assert Patient.objects.get(pk=patient.pk).language == "en"


def test_no_digest_and_no_sealed_value_is_told_of_any_model() -> None:
    for label in settings.AUDITED_MODELS:
        model = apps.get_model(label)
        told = auditing._columns(model)
        assert not [column for column in told if isinstance(column, BinaryField)]


def test_every_model_with_sealed_columns_is_watched_or_recorded_by_its_verbs() -> None:
    """A new model with patients' data has to be put into one of the two lists."""
    by_its_verbs = {
        "emr.InboundMessage",
        "patients.BreakGlassGrant",
        "patients.KeptKey",
        "patients.OneTimeCode",
        "patients.PatientMerge",
        "scheduling.Appointment",
        "scheduling.SlotHold",
    }
    sealed = {
        model._meta.label
        for model in apps.get_models()
        if any(isinstance(column, SealedMixin) for column in model._meta.concrete_fields)
    }
    assert sealed - by_its_verbs - set(settings.AUDITED_MODELS) == set()


def test_a_users_own_change_is_by_the_user(patient: Patient) -> None:
    user = UserFactory.create()
    kept = audit.Record(who=lambda: audit.Who(user=user.pk), page="desk:patient_edit")
    with audit.opened(kept):
        known = Patient.objects.get(pk=patient.pk)
        known.language = "es"
        known.save()
    entry = last_about(patient)
    assert (entry.actor, entry.page) == (user, "desk:patient_edit")
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_too_no_record_is_made_without_its_row(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(row: dict[str, Any]) -> None:
        raise Error("the table is full")

    monkeypatch.setattr(audit, "write", refuse)
    with pytest.raises(Error):
        PatientFactory.create(clinic=clinic)
    assert not Patient.objects.exists()
