"""The set-up page of how freed time is offered: whose rows are seen, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from patients.models import AuditEntry
from providers.models import Clinic, Role, VisitType
from scheduling.models import Mode, WaitlistPolicy
from tests.factories import ClinicFactory, MembershipFactory, UserFactory
from tests.factories.waitlist import waitlist_policy
from tests.providers.setup_pages import address, browser_of, filled, posted

pytestmark = pytest.mark.django_db
MODEL = "scheduling_waitlistpolicy"


@pytest.fixture
def site(clinic: Clinic) -> Client:
    user = UserFactory.create(is_staff=True)
    MembershipFactory.create(user=user, clinic=clinic, role=Role.CLINIC_ADMIN)
    return browser_of(user)


def test_a_manager_writes_how_the_own_clinic_offers(
    site: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    values = {"clinic": clinic.pk, "visit_type": visit_type.pk, "mode": Mode.OVERLAPPING.value}
    posted(site, address(MODEL, "add"), values)
    row = WaitlistPolicy.objects.get()
    assert (row.clinic, row.visit_type, row.mode) == (clinic, visit_type, Mode.OVERLAPPING)
    posted(site, address(MODEL, "change", row.pk), {"most_offers_a_day": 5})
    row.refresh_from_db()
    assert row.most_offers_a_day == 5
    assert AuditEntry.objects.filter(content_type__model="waitlistpolicy").count() == 2


def test_the_list_says_each_ones_pace_in_words(
    site: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    waitlist_policy(clinic, window_minutes=90)
    waitlist_policy(clinic, visit_type, mode=Mode.OVERLAPPING, longest_spacing_minutes=75)
    page = site.get(address(MODEL, "changelist")).content.decode()
    assert "90 min each" in page
    assert "5 to 75 min apart" in page


def test_the_form_says_what_each_way_means(site: Client, clinic: Clinic) -> None:
    page = site.get(address(MODEL, "add")).content.decode()
    assert "the first to accept has the time" in page
    assert "each with two hours to answer" in page


def test_another_clinics_rows_are_not_found(site: Client, clinic: Clinic) -> None:
    theirs = waitlist_policy(ClinicFactory.create())
    assert not site.get(address(MODEL, "changelist")).context["cl"].result_list
    for what in ("change", "delete", "history"):
        assert site.get(address(MODEL, what, theirs.pk)).status_code == 404
    form = filled(site, address(MODEL, "add"), {"clinic": theirs.clinic_id})
    answer = site.post(address(MODEL, "add"), form)
    assert "clinic" in answer.context["adminform"].form.errors
    assert WaitlistPolicy.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"window_minutes": 10}, "cannot be longer than the usual one"),
        ({"shortest_spacing_minutes": 121}, "cannot be longer than the most"),
        ({"window_minutes": 5, "shortest_window_minutes": 5}, "greater than or equal to 10"),
    ],
)
def test_lengths_out_of_order_are_refused_in_words(
    site: Client, clinic: Clinic, values: dict[str, int], words: str
) -> None:
    where = address(MODEL, "add")
    answer: Any = site.post(where, filled(site, where, {"clinic": clinic.pk, **values}))
    assert words in answer.content.decode()
    assert not WaitlistPolicy.objects.exists()


def test_a_second_row_for_the_same_visits_is_refused(site: Client, clinic: Clinic) -> None:
    waitlist_policy(clinic)
    where = address(MODEL, "add")
    answer: Any = site.post(where, filled(site, where, {"clinic": clinic.pk}))
    assert answer.context["adminform"].form.errors
    assert WaitlistPolicy.objects.count() == 1


def test_a_receptionist_does_not_find_the_page(clinic: Clinic) -> None:
    desk = browser_of(MembershipFactory.create(clinic=clinic).user)
    assert desk.get(address(MODEL, "changelist")).status_code in {302, 404}
