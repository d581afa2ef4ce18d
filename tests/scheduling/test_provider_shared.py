"""The pages by which providers share records with each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import AuditEntry, CareRelationship
from providers.models import Clinic, Provider, Role
from scheduling import notes
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, MembershipFactory, ProviderFactory
from tests.scheduling.desk_cast import shown

pytestmark = pytest.mark.django_db

REASON, NOTE = "A cough that stays", "Sleeps badly"


def browser(provider: Provider) -> Client:
    client = Client()
    assert provider.user is not None
    client.force_login(provider.user)
    return client


@pytest.fixture
def colleague(clinic: Clinic) -> Provider:
    provider = ProviderFactory.create(clinic=clinic, name="Dr. Ines Okoro")
    MembershipFactory.create(user=provider.user, clinic=clinic, role=Role.PROVIDER)
    return provider


@pytest.fixture
def visit(provider: Provider) -> Appointment:
    MembershipFactory.create(user=provider.user, clinic=provider.clinic, role=Role.PROVIDER)
    visit = AppointmentFactory.create(provider=provider, reason=REASON)
    assert provider.user is not None
    notes.write_note(appointment=visit, text=NOTE, seen="", by=provider.user)
    return visit


def share(visit: Appointment, colleague: Provider, days: int = 7) -> int:
    address = reverse("provider:shares", args=[visit.patient_id])
    told = {"colleague": str(colleague.pk), "days": str(days)}
    return browser(visit.provider).post(address, told).status_code


def test_a_record_is_shared_from_the_visits_page_and_read_by_the_colleague(
    visit: Appointment, colleague: Provider
) -> None:
    page = browser(visit.provider).get(reverse("provider:visit", args=[visit.pk]))
    assert reverse("provider:shares", args=[visit.patient_id]) in page.content.decode()
    assert share(visit, colleague) == 302
    reader = browser(colleague)
    assert visit.patient.full_name in shown(reader.get(reverse("provider:shared")))
    record = reader.get(reverse("provider:shared_record", args=[visit.patient_id]))
    text = shown(record)
    assert visit.patient.full_name in text
    assert visit.provider.name in text
    assert REASON not in text
    assert NOTE not in text


def test_the_page_says_with_whom_and_ends_it(visit: Appointment, colleague: Provider) -> None:
    share(visit, colleague)
    owner = browser(visit.provider)
    assert "Dr. Ines Okoro" in shown(owner.get(reverse("provider:shares", args=[visit.patient_id])))
    tie = CareRelationship.objects.get(kind="SHARED")
    assert owner.post(reverse("provider:end_share", args=[tie.pk])).status_code == 302
    reader = browser(colleague)
    address = reverse("provider:shared_record", args=[visit.patient_id])
    assert reader.get(address).status_code == 404
    assert "Nothing is shared" in shown(reader.get(reverse("provider:shared")))
    assert owner.post(reverse("provider:end_share", args=[tie.pk])).status_code == 404


def test_a_share_that_is_over_is_gone(visit: Appointment, colleague: Provider) -> None:
    share(visit, colleague)
    tie = CareRelationship.objects.get(kind="SHARED")
    CareRelationship.objects.update(until=tie.since - timedelta(minutes=1))
    address = reverse("provider:shared_record", args=[visit.patient_id])
    assert browser(colleague).get(address).status_code == 404


def test_nobody_shares_whom_they_do_not_treat(visit: Appointment, colleague: Provider) -> None:
    reader = browser(colleague)
    address = reverse("provider:shares", args=[visit.patient_id])
    told = {"colleague": str(visit.provider.pk), "days": "7"}
    assert reader.get(address).status_code == reader.post(address, told).status_code == 404


@pytest.mark.parametrize("told", [{}, {"days": "7"}, {"days": "365"}, {"colleague": "x"}])
def test_half_an_answer_shares_nothing(
    told: dict[str, str], visit: Appointment, colleague: Provider
) -> None:
    address = reverse("provider:shares", args=[visit.patient_id])
    assert browser(visit.provider).post(address, told).status_code == 422
    assert not CareRelationship.objects.filter(kind="SHARED").exists()


def test_a_look_at_a_shared_record_is_on_the_record(
    visit: Appointment, colleague: Provider
) -> None:
    share(visit, colleague)
    browser(colleague).get(reverse("provider:shared_record", args=[visit.patient_id]))
    row = AuditEntry.objects.get(page="provider:shared_record")
    assert (row.purpose, row.patient_ids) == ("share", [visit.patient_id])
