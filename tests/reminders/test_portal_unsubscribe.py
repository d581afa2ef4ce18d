"""The link at the end of an e-mail: it shows, it stops, it can be taken back, and says no name."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse

from patients.models import AuditEntry, Patient
from patients.models.audit import Act
from reminders import preferences
from reminders.models import ConsentChange
from tests.page_forms import forms_in

pytestmark = pytest.mark.django_db
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def token(patient: Patient) -> str:
    return preferences.unsubscribe_token(patient)


@pytest.fixture
def stranger() -> Client:
    """A browser without a sign-in, that is asked for the page's token as any other."""
    return Client(enforce_csrf_checks=True)


def address(token: str) -> str:
    return reverse("portal:unsubscribe", args=[token])


def gets_email(patient: Patient) -> bool:
    return preferences.preference_of(patient).email


def press(client: Client, token: str) -> Any:
    """Open the page and press its one button."""
    page = client.get(address(token)).content.decode()
    (form,) = [form for form in forms_in(page) if form.action.endswith("/choose/")]
    return client.post(form.action, {name: field.value for name, field in form.fields.items()})


def test_looking_changes_nothing(stranger: Client, patient: Patient, token: str) -> None:
    for method in (stranger.get, stranger.head):
        assert method(address(token)).status_code == 200
    assert gets_email(patient)
    assert not ConsentChange.objects.exists()


def test_the_button_stops_e_mails_and_the_next_one_takes_it_back(
    stranger: Client, patient: Patient, token: str
) -> None:
    done = press(stranger, token)
    assert done["Location"] == address(token)
    assert not gets_email(patient)
    assert b"We send you no more e-mails" in stranger.get(address(token)).content
    press(stranger, token)
    assert gets_email(patient)
    rows = ConsentChange.objects.order_by("at").values_list("channel", "given", "source", "by_user")
    assert list(rows) == [("EMAIL", False, "LINK", None), ("EMAIL", True, "LINK", None)]


def test_a_mail_programs_one_click_stops_e_mails_without_cookie_or_token(
    stranger: Client, patient: Patient, token: str
) -> None:
    for _time in range(2):
        answer = stranger.post(address(token), ONE_CLICK)
        assert (answer.status_code, answer.content) == (200, b"")
        assert not answer.cookies
    assert not gets_email(patient)
    assert ConsentChange.objects.count() == 1


@pytest.mark.parametrize(
    "body", [{}, {"List-Unsubscribe": "Two-Clicks"}, {"email": "on"}, {"email": "off"}]
)
def test_the_way_without_a_token_does_nothing_else(
    stranger: Client, patient: Patient, token: str, body: dict[str, str]
) -> None:
    assert stranger.post(address(token), body).status_code == 403
    assert stranger.post(address(token) + "choose/", body).status_code == 403
    assert gets_email(patient)
    assert not ConsentChange.objects.exists()


@pytest.mark.parametrize("forged", ["x" * 40, "nobody.signed", "a.b.c"])
def test_a_link_that_is_not_ours_says_so_and_does_nothing(stranger: Client, forged: str) -> None:
    path = f"/stop/{forged}/"
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, ONE_CLICK).status_code == 404
    assert not ConsentChange.objects.exists()


def test_the_page_names_nobody_and_is_never_stored(
    stranger: Client, patient: Patient, token: str
) -> None:
    answer = stranger.get(address(token))
    text = answer.content.decode()
    for value in (patient.given_name, patient.family_name, patient.email, patient.phone):
        assert value not in text
    assert answer["Cache-Control"] == "no-store"
    assert configured.SESSION_COOKIE_NAME not in answer.cookies


def test_each_use_stands_in_the_record_of_looks(
    stranger: Client, patient: Patient, token: str
) -> None:
    stranger.post(address(token), ONE_CLICK)
    rows = list(AuditEntry.objects.filter(page="portal:unsubscribe"))
    assert Act.ACCESS in [row.action for row in rows]
    assert {tuple(row.patient_ids) for row in rows} == {(patient.pk,)}
