"""The set-up site's pages of rows about patients: who is shown there is on the record."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin

from emr.models import EMRConnection, SigningKey
from patients.admin import PatientsAdmin
from patients.models import AuditEntry, Patient
from providers.models import Clinic, Provider, Role
from tests.factories import AppointmentFactory, MembershipFactory
from tests.providers.setup_pages import address, browser_of

# What is sealed in these are the house's own secrets.
ABOUT_NOBODY = [EMRConnection, SigningKey]
ABOUT_PATIENTS = [
    model
    for model in apps.get_models()
    if hasattr(model, "about_patient") and model not in ABOUT_NOBODY
]
SHOWN = [model for model in ABOUT_PATIENTS if admin.site.is_registered(model)]


def test_every_page_of_rows_about_patients_writes_down_who_is_shown() -> None:
    assert Patient in SHOWN
    silent = [m for m in SHOWN if not isinstance(admin.site.get_model_admin(m), PatientsAdmin)]
    assert silent == []


def test_the_houses_own_secrets_are_nobodys() -> None:
    assert [model().about_patient for model in ABOUT_NOBODY] == [None, None]


@pytest.mark.parametrize("rows", ["patients_patient", "scheduling_appointment"])
@pytest.mark.parametrize("shown_as", ["changelist", "change", "history"])
def test_a_list_a_row_and_its_history_leave_a_record_of_the_patient(
    shown_as: str, rows: str, clinic: Clinic, provider: Provider
) -> None:
    visit = AppointmentFactory.create(provider=provider)
    row = visit if rows == "scheduling_appointment" else visit.patient
    desk = browser_of(MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user)
    name = f"admin:{rows}_{shown_as}"
    answer = desk.get(address(rows, shown_as, *([] if shown_as == "changelist" else [row.pk])))
    assert answer.status_code == 200
    entry = AuditEntry.objects.get(page=name)
    assert entry.patient_ids == [visit.patient_id]
