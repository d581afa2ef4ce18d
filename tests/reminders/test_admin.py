"""The set-up page for a clinic's cadence: whose rows are seen, what is refused, what is written."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client

from patients.models import AuditEntry
from providers.models import Clinic, Role, VisitType
from reminders.models import ReminderPolicy
from tests.factories import ClinicFactory, MembershipFactory, UserFactory, VisitTypeFactory
from tests.providers.setup_pages import address, browser_of, filled, posted

pytestmark = pytest.mark.django_db
MODEL = "reminders_reminderpolicy"


@pytest.fixture
def site(clinic: Clinic) -> Client:
    user = UserFactory.create(is_staff=True)
    MembershipFactory.create(user=user, clinic=clinic, role=Role.CLINIC_ADMIN)
    return browser_of(user)


@pytest.fixture
def theirs(db: None) -> ReminderPolicy:
    return ReminderPolicy.objects.create(clinic=ClinicFactory.create())


def test_a_manager_writes_the_own_clinics_cadence(
    site: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    values = {"clinic": clinic.pk, "visit_type": visit_type.pk, "request_hours": 96}
    posted(site, address(MODEL, "add"), values)
    row = ReminderPolicy.objects.get()
    assert (row.clinic, row.visit_type, row.request_hours) == (clinic, visit_type, 96)
    posted(site, address(MODEL, "change", row.pk), {"follow_up_hours": ""})
    row.refresh_from_db()
    assert row.follow_up_hours is None
    written = AuditEntry.objects.filter(content_type__model="reminderpolicy")
    assert written.count() == 2


def test_the_list_says_when_each_step_comes(
    site: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    released = VisitTypeFactory.create(auto_release_allowed=True)
    ReminderPolicy.objects.create(clinic=clinic, visit_type=visit_type, join_hours=1, push=False)
    ReminderPolicy.objects.create(clinic=clinic, visit_type=released, release_hours=12)
    page = site.get(address(MODEL, "changelist")).content.decode()
    assert "72 hours ahead" in page
    assert "1 hour ahead" in page
    assert page.count("E-mail, Text message<") == 1
    assert page.count("12 hours ahead") == 1
    held_back = site.get(
        address(MODEL, "changelist"), {"visit_type__id__exact": str(visit_type.pk)}
    )
    assert "–" in held_back.content.decode(), "this type's time is never freed"


def test_another_clinics_cadence_is_not_found(
    site: Client, clinic: Clinic, theirs: ReminderPolicy
) -> None:
    assert not site.get(address(MODEL, "changelist")).context["cl"].result_list
    for what in ("change", "delete", "history"):
        assert site.get(address(MODEL, what, theirs.pk)).status_code == 404
    form = filled(site, address(MODEL, "add"), {"clinic": theirs.clinic_id})
    answer = site.post(address(MODEL, "add"), form)
    assert "clinic" in answer.context["adminform"].form.errors
    assert ReminderPolicy.objects.count() == 1


@pytest.mark.parametrize(
    "values", [{"request_hours": 24}, {"release_hours": 60}, {"reminder_hours": 0}]
)
def test_a_cadence_out_of_order_is_refused_in_words(
    site: Client, clinic: Clinic, values: dict[str, int]
) -> None:
    where = address(MODEL, "add")
    answer = site.post(where, filled(site, where, {"clinic": clinic.pk, **values}))
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert not ReminderPolicy.objects.exists()


def test_a_second_row_for_the_same_visits_is_refused(site: Client, clinic: Clinic) -> None:
    ReminderPolicy.objects.create(clinic=clinic)
    where = address(MODEL, "add")
    answer = site.post(where, filled(site, where, {"clinic": clinic.pk}))
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors


def test_removing_a_row_asks_first(site: Client, clinic: Clinic) -> None:
    row = ReminderPolicy.objects.create(clinic=clinic)
    where = address(MODEL, "delete", row.pk)
    assert site.get(where).status_code == 200
    assert ReminderPolicy.objects.exists()
    site.post(where, {"post": "yes"})
    assert not ReminderPolicy.objects.exists()


def test_a_row_can_be_found_by_its_type_of_visit(
    site: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    ReminderPolicy.objects.create(clinic=clinic, visit_type=visit_type)
    ReminderPolicy.objects.create(clinic=clinic)
    found: Any = site.get(address(MODEL, "changelist"), {"q": visit_type.label})
    assert [row.visit_type for row in found.context["cl"].result_list] == [visit_type]


def test_nothing_about_patients_is_part_of_the_site() -> None:
    ours = [m for m in admin.site._registry if m._meta.app_label == "reminders"]
    assert ours == [ReminderPolicy]
