"""Every row that leads to a patient says who may see it, and begins with nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.db.models import ForeignKey, Model

from patients.models import AuditEntry, CareRelationship, Patient
from providers.models import Role
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, MembershipFactory, UserFactory
from tests.rows import one_of_each

pytestmark = pytest.mark.django_db

# Guardian's rows say who may see what; they are read by the scopes and shown to nobody.
NOT_SHOWN = {"PatientUserObjectPermission", "PatientGroupObjectPermission"}


def leads_to_patient(model: type[Model], seen: frozenset[type[Model]] = frozenset()) -> bool:
    """Follow foreign keys of our own models, through any number of them."""
    if model is Patient:
        return True
    if model in seen or model._meta.app_label not in OURS:
        return False
    keys = [field for field in model._meta.get_fields() if isinstance(field, ForeignKey)]
    return any(leads_to_patient(_target(key), seen | {model}) for key in keys)


def _target(key: ForeignKey[Any, Any]) -> type[Model]:
    target: type[Model] = key.related_model
    return target


OURS = {"providers", "patients", "scheduling", "reminders", "emr"}
BEARING = [
    model
    for model in apps.get_models()
    if (leads_to_patient(model) or model is AuditEntry) and model.__name__ not in NOT_SHOWN
]


def test_the_search_finds_the_models_that_everybody_knows() -> None:
    assert {Patient, Appointment, CareRelationship, AuditEntry} <= set(BEARING)


@pytest.mark.parametrize("model", BEARING, ids=lambda model: model.__name__)
def test_every_model_that_bears_patients_says_who_may_see_it(model: Any) -> None:
    assert callable(getattr(model.objects.all(), "visible_to", None)), model


@pytest.mark.parametrize("model", BEARING, ids=lambda model: model.__name__)
def test_nobody_and_strangers_see_nothing_of_it(model: Any) -> None:
    here = AppointmentFactory.create()
    one_of_each(here)
    assert model.objects.exists(), f"make one {model.__name__} in tests/rows.py"
    strangers: list[Any] = [
        AnonymousUser(),
        UserFactory.create(),
        UserFactory.create(is_superuser=True, is_staff=True),
        MembershipFactory.create(clinic=here.clinic, user__is_active=False).user,
    ]
    strangers += [MembershipFactory.create(role=role).user for role in Role]
    for stranger in strangers:
        seen = model.objects.visible_to(stranger)
        if model is AuditEntry:  # strangers are officers of clinics of their own
            seen = seen.about(here.patient_id)
        assert not seen.exists(), (model, stranger)
