"""Patients read who looked at their record: people by name and role, in plain words, by day."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from providers.models import Clinic, Provider, Role
from scheduling.models import Appointment
from scheduling.waitlist import entries
from tests.factories import MembershipFactory, PatientFactory, UserFactory
from tests.factories.waitlist import entry_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(patient: Patient) -> Any:
    user = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=patient.pk).update(user=user)
    return user


@pytest.fixture
def portal(account: Any) -> Client:
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def receptionist(clinic: Clinic) -> Any:
    user = UserFactory.create(first_name="Rhea", last_name="Castillo")
    MembershipFactory.create(user=user, clinic=clinic, role=Role.RECEPTIONIST)
    return user


def done(user: Any, patient: Patient, *, page: str, purpose: str, **more: Any) -> None:
    kept = audit.Record(who=lambda: audit.Who(user=user.pk), page=page, purpose=purpose)
    with audit.opened(kept):
        audit.record(patients=[patient.pk], **{"action": Act.ACCESS, **more})


def shown(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_a_look_is_told_with_name_role_clinic_and_reason(
    portal: Client, patient: Patient, receptionist: Any
) -> None:
    done(receptionist, patient, page="desk:patient", purpose="scheduling")
    page = shown(portal.get(reverse("portal:record_looks")))
    assert "Looked at your record Rhea Castillo, Receptionist · Riverside Clinic" in page
    assert "To arrange your visits" in page


def test_the_same_look_many_times_a_day_is_told_once(
    portal: Client, patient: Patient, receptionist: Any
) -> None:
    for _time in range(3):
        done(receptionist, patient, page="desk:board", purpose="scheduling")
    page = shown(portal.get(reverse("portal:record_looks")))
    assert page.count("Saw your visit on the day's list") == 1
    assert "3 times," in page


def test_messages_and_imports_are_told_in_plain_words(portal: Client, patient: Patient) -> None:
    audit.record(
        action=Act.SEND, patients=[patient.pk], system="system:reminders", purpose="reminder"
    )
    page = shown(portal.get(reverse("portal:record_looks")))
    assert "Sent you a message The clinic's reminders · Riverside Clinic" in page


def test_an_appointments_changes_are_told(
    portal: Client, patient: Patient, receptionist: Any
) -> None:
    row = audit.row_for(
        action=Act.UPDATE,
        patients=[patient.pk],
        model=Appointment,
        pk=patient.pk,
        by=receptionist.pk,
    )
    audit.write(row | {"changes": {"kind": [None, "CANCEL"]}})
    assert "Cancelled your visit" in shown(portal.get(reverse("portal:record_looks")))


def test_what_was_done_on_the_waitlist_is_told(
    portal: Client, patient: Patient, provider: Provider, receptionist: Any
) -> None:
    kept = audit.Record(who=lambda: audit.Who(user=receptionist.pk), purpose="scheduling")
    with audit.opened(kept):
        entry = entry_of(patient, provider=provider, latest_date=date(2099, 1, 1))
        entry.weekdays = [1]
        entry.save(update_fields=["weekdays"])
    done(receptionist, patient, page="desk:gap", purpose="scheduling")
    entries.expire(now=datetime(2099, 2, 1, tzinfo=UTC))
    page = shown(portal.get(reverse("portal:record_looks")))
    assert "Put you on the waitlist Rhea Castillo" in page
    assert "Changed your place on the waitlist Rhea Castillo" in page
    assert "Looked for somebody for a free time Rhea Castillo" in page
    assert "Changed your place on the waitlist The waitlist" in page
    assert "To keep the waitlist up to date" in page


def test_own_looks_refused_tries_and_other_peoples_rows_are_left_out(
    portal: Client, patient: Patient, account: Any, receptionist: Any, clinic: Clinic
) -> None:
    neighbour = PatientFactory.create(clinic=clinic)
    AuditEntry.objects.all()
    done(account, patient, page="portal:appointments", purpose="own_record", action=Act.PRINT)
    done(receptionist, neighbour, page="desk:patient", purpose="care", action=Act.EXPORT)
    done(
        receptionist,
        patient,
        page="desk:patient",
        purpose="care",
        action=Act.SHARE,
        outcome=Outcome.DENIED,
    )
    page = shown(portal.get(reverse("portal:record_looks")))
    for words in ("Printed your data", "Saved a file", "Shared your record"):
        assert words not in page


def test_no_address_account_or_id_is_told(portal: Client, patient: Patient, clinic: Clinic) -> None:
    nameless = MembershipFactory.create(clinic=clinic, role=Role.RECEPTIONIST).user
    done(nameless, patient, page="desk:patient", purpose="scheduling")
    content = portal.get(reverse("portal:record_looks")).content.decode()
    assert "A member of staff" in content
    for secret in (nameless.email, nameless.username, str(patient.pk), "127.0.0.1"):
        assert secret not in content


def test_the_file_says_the_same(portal: Client, patient: Patient, receptionist: Any) -> None:
    done(receptionist, patient, page="desk:patient", purpose="scheduling")
    answer = portal.get(reverse("portal:record_looks_file"))
    text = answer.content.decode("utf-8-sig")
    assert text.startswith("Day,First time,Last time,Who,")
    assert "Rhea Castillo,Receptionist,Riverside Clinic,Looked at your record" in text
    entry = AuditEntry.objects.filter(page="portal:record_looks_file").get()
    assert (entry.action, entry.patient_ids) == (Act.EXPORT, [patient.pk])


def test_a_place_that_is_none_is_not_found(portal: Client) -> None:
    assert portal.get(reverse("portal:record_looks"), {"after": "x"}).status_code == 404


def test_the_page_is_linked_from_the_appointments(portal: Client) -> None:
    page = portal.get(reverse("portal:appointments")).content.decode()
    assert reverse("portal:record_looks") in page


def test_the_page_asks_few_questions_however_many_looked(
    portal: Client, patient: Patient, clinic: Clinic, django_assert_max_num_queries: Any
) -> None:
    for _one in range(12):
        user = MembershipFactory.create(clinic=clinic, role=Role.RECEPTIONIST).user
        done(user, patient, page="desk:patient", purpose="scheduling")
    portal.get(reverse("portal:record_looks"))
    with django_assert_max_num_queries(11):
        portal.get(reverse("portal:record_looks"))
