"""The pages of a record that is opened in an emergency, or for a privacy officer's look."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from patients import emergency
from patients.models import AuditEntry, BreakGlassGrant, GrantKind, Patient
from providers.models import Clinic, Provider, Role
from scheduling import notes
from scheduling.models import Appointment
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    at,
    next_monday,
)
from tests.scheduling.desk_cast import at_the_desk, shown

pytestmark = pytest.mark.django_db

WHY = {"purpose": "TREATMENT", "reason": "Collapsed in the waiting room"}
CLOSED_TO_ALL = "Sleeps badly"
REASON = "A cough that stays"
BORN = {"dob_month": "April", "dob_day": "7", "dob_year": "1961"}


@pytest.fixture
def rosa(clinic: Clinic) -> Patient:
    return PatientFactory.create(
        clinic=clinic, given_name="Rosa", family_name="Delgado", dob=date(1961, 4, 7)
    )


@pytest.fixture
def visit(provider: Provider, rosa: Patient) -> Appointment:
    MembershipFactory.create(user=provider.user, clinic=provider.clinic, role=Role.PROVIDER)
    visit = AppointmentFactory.create(
        provider=provider, patient=rosa, reason=REASON, start=at(next_monday(1), "09:00")
    )
    assert provider.user is not None
    notes.write_note(appointment=visit, text=CLOSED_TO_ALL, seen="", by=provider.user)
    return visit


def ask(client: Client, name: str = "emergency:ask", **told: str) -> Any:
    return client.post(reverse(name), {**WHY, **told})


def follow(client: Client, answer: Any) -> str:
    assert answer.status_code == 302, answer.content[:3000]
    page = client.get(answer["Location"])
    assert page.status_code == 200
    return shown(page)


def test_a_provider_opens_a_record_by_the_visits_reference_and_reads_all_of_it(
    visit: Appointment, clinic: Clinic
) -> None:
    client = at_the_desk(clinic, Role.PROVIDER)
    reference = f"{visit.reference[:4].lower()}-{visit.reference[4:]}"
    text = follow(client, ask(client, reference=reference))
    for told in ("Rosa Delgado", "April 7, 1961", REASON, CLOSED_TO_ALL, "until"):
        assert told in text


def test_a_receptionist_opens_it_by_name_and_birthday_and_reads_no_note(
    visit: Appointment, clinic: Clinic
) -> None:
    client = at_the_desk(clinic)
    text = follow(client, ask(client, given_name="rosa", family_name="DELGADO", **BORN))
    assert REASON in text
    assert CLOSED_TO_ALL not in text


def test_an_officer_sees_who_and_when_and_neither_reason_nor_note(
    visit: Appointment, clinic: Clinic
) -> None:
    client = at_the_desk(clinic, Role.PRIVACY_OFFICER)
    asked = ask(client, "emergency:look", reference=visit.reference, purpose="COMPLAINT")
    text = follow(client, asked)
    assert "Rosa Delgado" in text
    assert "9:00 am" in text
    assert REASON not in text
    assert CLOSED_TO_ALL not in text


def test_who_is_not_there_and_who_is_elsewhere_are_answered_alike(
    visit: Appointment, clinic: Clinic, django_assert_max_num_queries: Any
) -> None:
    elsewhere = AppointmentFactory.create(patient__given_name="Ada", patient__family_name="Moreno")
    client = at_the_desk(clinic, Role.PROVIDER)
    born = {"dob_month": "2", "dob_day": "29", "dob_year": "1984"}
    tries = [
        {"reference": "22222222"},
        {"reference": elsewhere.reference},
        {"given_name": "Nobody", "family_name": "Known", **born},
        {"given_name": "Ada", "family_name": "Moreno", **born},
    ]
    answers = [ask(client, **told) for told in tries]
    said = (
        {shown(answer).replace(elsewhere.reference, "22222222") for answer in answers[:2]},
        {shown(answer) for answer in answers[2:]},
    )
    assert [answer.status_code for answer in answers] == [422] * 4
    assert all(len(each) == 1 and "Nobody was found" in next(iter(each)) for each in said)
    assert not BreakGlassGrant.objects.exists()


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"reference": "no"},
        {"reference": "7KX2M9Q!"},
        {"given_name": "Rosa"},
        {"given_name": "Rosa", "family_name": "Delgado"},
        {"given_name": "Rosa", "family_name": "Delgado", **BORN, "dob_year": "61"},
        {"reference": "22222222", "reason": "short"},
        {"reference": "22222222", "reason": " " * 30},
        {"reference": "22222222", "purpose": "COMPLAINT"},
        {"reference": "22222222", "purpose": ""},
        {"reference": "\0"},
    ],
)
def test_half_an_answer_opens_nothing(told: dict[str, str], clinic: Clinic) -> None:
    answer = ask(at_the_desk(clinic), **told)
    assert answer.status_code == 422
    assert "There is a problem" in shown(answer)


def test_after_ten_tries_it_is_enough_for_a_while(clinic: Clinic) -> None:
    client = at_the_desk(clinic)
    for _try in range(10):
        assert ask(client, reference="22222222").status_code == 422
    assert ask(client, reference="22222222").status_code == 429


@pytest.mark.real_sign_in
def test_whoever_has_not_just_shown_a_second_factor_is_asked_for_it_first(
    visit: Appointment, clinic: Clinic
) -> None:
    client = at_the_desk(clinic, Role.PROVIDER)
    for answer in (client.get(reverse("emergency:ask")), ask(client, reference=visit.reference)):
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/")
    assert not BreakGlassGrant.objects.exists()


def opened(client: Client, visit: Appointment) -> BreakGlassGrant:
    ask(client, reference=visit.reference)
    return BreakGlassGrant.objects.get()


def test_every_staff_page_says_so_while_it_is_open_and_ends_it(
    visit: Appointment, clinic: Clinic
) -> None:
    client = at_the_desk(clinic)
    board = reverse("desk:board")
    assert "A patient's record is open" not in shown(client.get(board))
    grant = opened(client, visit)
    for address in (board, reverse("emergency:ask"), reverse("account_sessions")):
        assert "A patient's record is open to you in an emergency" in shown(client.get(address))
    assert client.post(reverse("emergency:end", args=[grant.pk])).status_code == 302
    assert "A patient's record is open" not in shown(client.get(board))
    assert client.get(reverse("emergency:record", args=[grant.pk])).status_code == 404


def test_an_hour_later_the_page_is_gone(visit: Appointment, clinic: Clinic) -> None:
    client = at_the_desk(clinic, Role.PROVIDER)
    grant = opened(client, visit)
    BreakGlassGrant.objects.update(granted_at=Now() - timedelta(minutes=60), expires_at=Now())
    assert client.get(reverse("emergency:record", args=[grant.pk])).status_code == 404
    assert client.post(reverse("emergency:end", args=[grant.pk])).status_code == 404


def test_each_look_at_an_open_record_is_on_the_record_with_its_purpose(
    visit: Appointment, clinic: Clinic
) -> None:
    client = at_the_desk(clinic, Role.PROVIDER)
    grant = opened(client, visit)
    client.get(reverse("emergency:record", args=[grant.pk]))
    row = AuditEntry.objects.filter(page="emergency:record").latest("timestamp")
    assert (row.purpose, row.patient_ids) == ("emergency", [visit.patient_id])
    assert {"given_name", "reason_for_visit", "text"} <= set(row.field_names)


def officer_at(clinic: Clinic) -> Client:
    return at_the_desk(clinic, Role.PRIVACY_OFFICER)


def test_an_officer_reviews_with_what_was_looked_at_before_them(
    visit: Appointment, clinic: Clinic
) -> None:
    client, officer = at_the_desk(clinic, Role.PROVIDER), officer_at(clinic)
    grant = opened(client, visit)
    client.get(reverse("emergency:record", args=[grant.pk]))
    queue = shown(officer.get(reverse("emergency:reviews")))
    assert "To treat the patient now" in queue
    assert "Delgado" not in queue
    address = reverse("emergency:review", args=[grant.pk])
    page = shown(officer.get(address))
    assert WHY["reason"] in page
    assert "reason_for_visit" not in page  # in words, not by the columns' names
    assert "Delgado" not in page
    assert officer.post(address, {"verdict": "FOLLOW_UP"}).status_code == 422
    answer = officer.post(address, {"verdict": "FOLLOW_UP", "note": "Talk to them"})
    assert answer.status_code == 302
    assert officer.post(address, {"verdict": "JUSTIFIED"}).status_code == 409
    assert "Needs follow-up" in shown(officer.get(reverse("emergency:reviews")))


def test_an_officer_of_another_clinic_finds_no_review(visit: Appointment, clinic: Clinic) -> None:
    grant = opened(at_the_desk(clinic, Role.PROVIDER), visit)
    stranger = officer_at(ClinicFactory.create())
    assert stranger.get(reverse("emergency:review", args=[grant.pk])).status_code == 404
    assert "To treat the patient now" not in shown(stranger.get(reverse("emergency:reviews")))


def test_nobody_reviews_their_own(visit: Appointment, clinic: Clinic) -> None:
    held = MembershipFactory.create(clinic=clinic, role=Role.PROVIDER)
    MembershipFactory.create(clinic=clinic, role=Role.PRIVACY_OFFICER, user=held.user)
    grant = emergency.open_record(
        patient=visit.patient, kind=GrantKind.EMERGENCY, by=held.user, **WHY
    )
    client = Client()
    client.force_login(held.user)
    address = reverse("emergency:review", args=[grant.pk])
    assert "another officer" in shown(client.get(address))
    assert client.post(address, {"verdict": "JUSTIFIED"}).status_code == 404
    assert BreakGlassGrant.objects.get().reviewed_at is None
