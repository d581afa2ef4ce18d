"""The inbox of texts that only a person can answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.fields import new_id
from providers.models import Clinic, Provider, Role, VisitType
from reminders import waiting
from reminders.kinds import Meaning
from reminders.models import InboundText
from tests.factories import AppointmentFactory, ClinicFactory, PatientFactory
from tests.scheduling.desk_cast import NINE, at_the_desk, shown

pytestmark = pytest.mark.django_db
INBOX = "/desk/texts/"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    waiting.forget()


@pytest.fixture
def ada(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno", phone="+12125550111")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def text(patient: Patient, body: str = "Can my sister come along?", **more: Any) -> InboundText:
    values: dict[str, Any] = {
        "vendor": "twilio",
        "vendor_id": f"SM{new_id().hex}",
        "clinic": patient.clinic,
        "patient": patient,
        "sender": patient.phone,
        "body": body,
        "meaning": Meaning.OTHER.value,
        "needs_staff": True,
    }
    return InboundText.objects.create(**values | more)


def done(client: Client, one: InboundText) -> Any:
    return client.post(reverse("messages:text_handled", args=[one.pk]))


def test_an_empty_inbox_says_so(desk: Client) -> None:
    assert "No text waits for an answer" in shown(desk.get(INBOX))


def test_a_text_shows_its_words_its_sender_and_the_visit(
    desk: Client, ada: Patient, provider: Provider, visit_type: VisitType
) -> None:
    visit = AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=ada, reason="Sore knee"
    )
    text(ada, appointment=visit)
    page = desk.get(INBOX)
    words = shown(page)
    for known in ("Can my sister come along?", "Ada Moreno", "(212) 555-0111", "Visit on "):
        assert known in words
    assert reverse("desk:appointment", args=[visit.pk]) in page.content.decode()
    assert "Sore knee" not in words
    assert "Texts (1)" in words


def test_words_from_outside_are_only_words(desk: Client, ada: Patient) -> None:
    text(ada, body="<script>alert(1)</script>")
    page = desk.get(INBOX).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_number_of_several_patients_names_none(desk: Client, ada: Patient) -> None:
    InboundText.objects.filter(pk=text(ada).pk).update(patient=None)
    words = shown(desk.get(INBOX))
    assert "Not known, or several patients" in words
    assert "Ada" not in words


def test_the_oldest_waits_on_top(desk: Client, ada: Patient) -> None:
    now = timezone.now()
    text(ada, "second", received_at=now - MINUTE)
    text(ada, "first", received_at=now - 2 * MINUTE)
    words = shown(desk.get(INBOX))
    assert words.index("first") < words.index("second")


def test_what_was_dealt_with_leaves_the_inbox_and_names_who_did(
    desk: Client, clinic: Clinic, ada: Patient
) -> None:
    user = clinic.memberships.get().user
    user.first_name, user.last_name = "Dolores", "Whitcomb"
    user.save()
    one = text(ada)
    assert done(desk, one).status_code == 302
    assert "sister" not in shown(desk.get(INBOX))
    assert "Done by Dolores Whitcomb" in shown(desk.get(INBOX, {"show": "all"}))


def test_who_was_first_stays_noted(desk: Client, clinic: Clinic, ada: Patient) -> None:
    one = text(ada)
    done(desk, one)
    first = InboundText.objects.get()
    done(at_the_desk(clinic), one)
    again = InboundText.objects.get()
    assert (again.handled_by, again.handled_at) == (first.handled_by, first.handled_at)


def test_what_was_taken_care_of_by_itself_is_among_all(desk: Client, ada: Patient) -> None:
    text(ada, "YES", meaning=Meaning.CONFIRM.value, needs_staff=False)
    assert "YES" not in shown(desk.get(INBOX)).split("Answers like")[0]
    assert "Will come" in shown(desk.get(INBOX, {"show": "all"}))


def test_another_clinics_texts_are_not_shown(clinic: Clinic, ada: Patient) -> None:
    one = text(ada)
    stranger = at_the_desk(ClinicFactory.create())
    assert "sister" not in shown(stranger.get(INBOX))
    assert done(stranger, one).status_code == 404
    assert at_the_desk(clinic, Role.PROVIDER).get(INBOX).status_code in {403, 404}
    assert InboundText.objects.get().handled_at is None


def test_nonsense_is_not_found(desk: Client) -> None:
    assert desk.get(INBOX, {"show": "some"}).status_code == 404


def test_the_inbox_costs_the_same_for_one_and_for_many(desk: Client, ada: Patient) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as questions:
            desk.get(INBOX)
        return len(questions)

    text(ada)
    cost()
    few = cost()
    for _ in range(10):
        text(PatientFactory.create(clinic=ada.clinic))
    assert cost() == few
