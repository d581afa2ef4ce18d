"""The privacy office: what officers read of the record, and that reading it is in it too."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from providers.models import Clinic, Role
from tests.factories import ClinicFactory, MembershipFactory, PatientFactory, UserFactory

pytestmark = pytest.mark.django_db
NOT_FOUND, INVALID = 404, 422


@pytest.fixture
def officer(clinic: Clinic) -> Client:
    user = UserFactory.create(first_name="Olive", last_name="Marsh")
    MembershipFactory.create(user=user, clinic=clinic, role=Role.PRIVACY_OFFICER)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def receptionist(clinic: Clinic) -> Any:
    user = UserFactory.create(first_name="Rhea", last_name="Castillo")
    MembershipFactory.create(user=user, clinic=clinic, role=Role.RECEPTIONIST)
    return user


@pytest.fixture
def looked(patient: Patient, receptionist: Any) -> AuditEntry:
    kept = audit.Record(
        who=lambda: audit.Who(user=receptionist.pk), page="desk:patient", purpose="scheduling"
    )
    with audit.opened(kept):
        audit.record(action=Act.ACCESS, patients=[patient.pk], fields=["given_name"])
    entry: AuditEntry = AuditEntry.objects.latest("id")
    return entry


def shown(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_the_record_names_who_did_what_and_why(officer: Client, looked: AuditEntry) -> None:
    page = shown(officer.get(reverse("privacy:start")))
    assert "Rhea Castillo Receptionist · Riverside Clinic" in page
    assert "Seen Patient's page · given name" in page
    assert "Scheduling" in page


def test_the_record_never_names_a_patient(
    officer: Client, looked: AuditEntry, patient: Patient
) -> None:
    for address in (
        reverse("privacy:start"),
        reverse("privacy:patient", args=[patient.pk]),
        reverse("privacy:colleague", args=[looked.actor_id]),
        reverse("privacy:patient_file", args=[patient.pk]),
    ):
        content = officer.get(address).content.decode()
        assert patient.family_name not in content
        assert patient.given_name not in content


def test_another_clinics_record_is_not_shown(officer: Client) -> None:
    elsewhere = ClinicFactory.create()
    stranger = PatientFactory.create(clinic=elsewhere)
    colleague = MembershipFactory.create(clinic=elsewhere, role=Role.RECEPTIONIST).user
    audit.record(action=Act.PRINT, patients=[stranger.pk], by=colleague, clinic=elsewhere)
    assert str(stranger.pk)[-8:].upper() not in shown(officer.get(reverse("privacy:start")))
    for name, key in (
        ("patient", stranger.pk),
        ("patient_file", stranger.pk),
        ("colleague", colleague.pk),
        ("colleague_file", colleague.pk),
    ):
        assert officer.get(reverse(f"privacy:{name}", args=[key])).status_code == NOT_FOUND


def test_who_saw_a_patient_is_found_by_a_posted_name_and_birthday(
    officer: Client, looked: AuditEntry, patient: Patient
) -> None:
    typed = {"given_name": patient.given_name, "family_name": patient.family_name}
    born = {"dob_month": "February", "dob_day": "29", "dob_year": "1984"}
    answer = officer.post(reverse("privacy:whose"), {**typed, **born})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("privacy:patient", args=[patient.pk])
    page = shown(officer.get(answer["Location"]))
    assert "Rhea Castillo" in page
    assert f"Record ending {str(patient.pk)[-8:].upper()}" in page


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"reference": "7KX2M9QD"},
        {"reference": "no reference"},
        {"given_name": "No", "family_name": "Body"},
        {
            "given_name": "\0",
            "family_name": "x",
            "dob_month": "1",
            "dob_day": "1",
            "dob_year": "1990",
        },
    ],
)
def test_a_question_that_finds_nobody_is_asked_again(
    typed: dict[str, str], officer: Client
) -> None:
    assert officer.post(reverse("privacy:whose"), typed).status_code == INVALID


def test_the_search_for_a_patient_is_in_the_record(officer: Client, patient: Patient) -> None:
    officer.post(reverse("privacy:whose"), {"reference": "7KX2M9QD"})
    entry = AuditEntry.objects.filter(page="privacy:whose").order_by("id").last()
    assert entry is not None
    assert (entry.action, entry.purpose) == (Act.SEARCH, "privacy_review")


def test_the_officers_own_look_is_in_the_record(
    officer: Client, looked: AuditEntry, patient: Patient
) -> None:
    officer.get(reverse("privacy:patient", args=[patient.pk]))
    entry = AuditEntry.objects.filter(page="privacy:patient").get()
    assert entry.patient_ids == [patient.pk]
    assert "Olive Marsh" in shown(officer.get(reverse("privacy:patient", args=[patient.pk])))


def test_what_somebody_saw_is_found_among_the_staff(
    officer: Client, looked: AuditEntry, receptionist: Any
) -> None:
    assert "Rhea Castillo Receptionist, Riverside Clinic" in shown(
        officer.get(reverse("privacy:staff"))
    )
    page = shown(officer.get(reverse("privacy:colleague", args=[receptionist.pk])))
    assert "Seen Patient's page" in page


def test_a_file_holds_the_same_and_is_written_down_as_an_export(
    officer: Client, looked: AuditEntry, patient: Patient
) -> None:
    answer = officer.get(reverse("privacy:patient_file", args=[patient.pk]))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    row = next(row for row in rows if row["who"] == "Rhea Castillo")
    assert (row["act"], row["fields"], row["records"]) == ("Seen", "given_name", str(patient.pk))
    entry = AuditEntry.objects.filter(page="privacy:patient_file").get()
    assert (entry.action, entry.patient_ids) == (Act.EXPORT, [patient.pk])


def test_a_name_that_is_a_formula_is_text_in_the_file(
    officer: Client, patient: Patient, receptionist: Any
) -> None:
    receptionist.first_name = "=HYPERLINK"
    receptionist.save()
    audit.record(action=Act.ACCESS, patients=[patient.pk], by=receptionist)
    answer = officer.get(reverse("privacy:patient_file", args=[patient.pk]))
    assert b"'=HYPERLINK Castillo" in answer.content


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"since": "2026-05-02", "until": "2026-05-01"},
        {"since": "2024-01-01", "until": "2026-05-01"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"action": "99"},
        {"outcome": "MAYBE"},
    ],
)
def test_a_question_that_cannot_be_is_a_422_and_no_file(
    query: dict[str, str], officer: Client
) -> None:
    assert officer.get(reverse("privacy:start"), query).status_code == INVALID
    assert officer.get(reverse("privacy:start_file"), query).status_code == NOT_FOUND


def test_the_record_is_narrowed_by_act_and_outcome(officer: Client, looked: AuditEntry) -> None:
    today = f"{timezone.now():%Y-%m-%d}"
    none = officer.get(reverse("privacy:start"), {"since": today, "outcome": Outcome.DENIED})
    assert "The record has nothing here." in shown(none)
    seen = officer.get(reverse("privacy:start"), {"action": int(Act.ACCESS)})
    assert "Rhea Castillo" in shown(seen)


def test_a_place_in_the_record_that_is_none_is_not_found(officer: Client) -> None:
    for text in ("x", "9" * 50, "\0", "1-2-3"):
        assert officer.get(reverse("privacy:start"), {"after": text}).status_code == NOT_FOUND


def test_older_rows_are_a_page_further(
    officer: Client, patient: Patient, receptionist: Any
) -> None:
    for _number in range(55):
        audit.record(action=Act.ACCESS, patients=[patient.pk], by=receptionist)
    address = reverse("privacy:patient", args=[patient.pk])
    first = officer.get(address).content.decode()
    (later,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = officer.get(unescape(later))
    assert second.status_code == 200
    assert 'rel="next"' not in second.content.decode()


def test_only_officers_read_the_record(clinic: Clinic, patient: Patient) -> None:
    for role in (Role.RECEPTIONIST, Role.PROVIDER, Role.CLINIC_ADMIN):
        client = Client()
        client.force_login(MembershipFactory.create(clinic=clinic, role=role).user)
        for address in (
            reverse("privacy:start"),
            reverse("privacy:staff"),
            reverse("privacy:patient", args=[patient.pk]),
        ):
            assert client.get(address).status_code == NOT_FOUND


def test_providers_read_what_the_record_has_of_themselves(
    clinic: Clinic, looked: AuditEntry, patient: Patient
) -> None:
    user = MembershipFactory.create(clinic=clinic, role=Role.PROVIDER).user
    audit.record(action=Act.PRINT, patients=[patient.pk], by=user)
    client = Client()
    client.force_login(user)
    page = client.get(reverse("privacy:own_acts"))
    assert "Printed" in shown(page)
    assert "Rhea Castillo" not in shown(page)
    assert reverse("privacy:patient", args=[patient.pk]) not in page.content.decode()


@pytest.mark.parametrize("rows", [1, 40])
def test_a_report_asks_the_same_few_questions_however_many_rows(
    rows: int,
    officer: Client,
    patient: Patient,
    django_assert_max_num_queries: Any,
) -> None:
    for _number in range(rows):
        audit.record(action=Act.ACCESS, patients=[patient.pk], by=UserFactory.create())
    with django_assert_max_num_queries(11):
        officer.get(reverse("privacy:patient", args=[patient.pk]))
