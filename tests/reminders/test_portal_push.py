"""A patient's browser is set up for notifications, and its worker's script is the site's own."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from patients.models import Patient
from reminders import devices
from reminders.models import PushSubscription
from tests.factories import PatientFactory, UserFactory
from tests.reminders.browser_keys import endpoint, keys

pytestmark = pytest.mark.django_db
TAKEN, REFUSED, NOT_FOUND = 204, 422, 404


@pytest.fixture
def account(patient: Patient) -> User:
    user = UserFactory.create(username="p-1", email="")
    Patient.objects.filter(pk=patient.pk).update(user=user)
    return user


@pytest.fixture
def portal(account: User) -> Client:
    client = Client()
    client.force_login(account)
    return client


def tell(client: Client, patient: Patient, **fields: str) -> int:
    answer = client.post(reverse("portal:device", args=[patient.pk]), fields)
    assert answer.content == b""
    return answer.status_code


def test_a_browser_is_taken_known_and_ended(
    portal: Client, patient: Patient, account: User
) -> None:
    address = endpoint()
    assert tell(portal, patient, act="ask", endpoint=address) == REFUSED
    assert tell(portal, patient, act="on", endpoint=address, **keys()) == TAKEN
    kept = PushSubscription.objects.get()
    assert (kept.patient, kept.endpoint, kept.language) == (patient, address, "en")
    assert tell(portal, patient, act="ask", endpoint=address) == TAKEN
    assert tell(portal, patient, act="off", endpoint=address) == TAKEN
    assert devices.latest(patient) is None
    assert tell(portal, patient, act="ask", endpoint=address) == REFUSED


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "https://evil.example/x"},
        {"endpoint": ""},
        {"p256dh": "x"},
        {"p256dh": ""},
        {"auth": ""},
        {"auth": "\x00"},
        {"act": "everything"},
        {"act": ""},
    ],
)
def test_what_is_no_subscription_is_refused(
    portal: Client, patient: Patient, wrong: dict[str, str]
) -> None:
    told = {"act": "on", "endpoint": endpoint(), **keys()} | wrong
    assert tell(portal, patient, **told) == REFUSED
    assert not PushSubscription.objects.exists()


def test_nothing_is_taken_where_the_clinic_sends_no_notifications(
    portal: Client, patient: Patient, settings: Any
) -> None:
    settings.CHANNELS = settings.CHANNELS | {"PUSH": "reminders.channels.off.Off"}
    assert tell(portal, patient, act="on", endpoint=endpoint(), **keys()) == REFUSED
    page = portal.get(reverse("portal:choices_of", args=[patient.pk])).content.decode()
    assert "data-push" not in page
    assert "push.js" not in page


def test_the_page_brings_the_public_key_and_never_the_private_one(
    portal: Client, patient: Patient, settings: Any
) -> None:
    page = portal.get(reverse("portal:choices_of", args=[patient.pk])).content.decode()
    assert f'data-push="{devices.application_key()}"' in page
    assert settings.VAPID_PRIVATE_KEY not in page
    assert "scripts are switched off" in page


def test_nobody_subscribes_to_somebody_elses_record(portal: Client, patient: Patient) -> None:
    other = PatientFactory.create(clinic=patient.clinic)
    for act in ("on", "off", "ask"):
        told = {"act": act, "endpoint": endpoint(), **keys()}
        client = portal.post(reverse("portal:device", args=[other.pk]), told)
        assert client.status_code == NOT_FOUND
    assert not PushSubscription.objects.exists()


def test_a_subscription_needs_the_pages_token(patient: Patient, account: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(account)
    told = {"act": "on", "endpoint": endpoint(), **keys()}
    assert client.post(reverse("portal:device", args=[patient.pk]), told).status_code == 403
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    ("asked", "language", "word"),
    [
        ("en", "en", "Confirm"),
        ("es", "es", "Confirmar"),
        ("xx", "en", "Confirm"),
        ("", "en", "Confirm"),
    ],
)
def test_the_worker_is_a_script_of_the_sites_own_in_a_known_language(
    client: Client, asked: str, language: str, word: str
) -> None:
    answer = client.get(f"/sw.js?lang={asked}")
    text = answer.content.decode()
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "no-cache"
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert f'LANGUAGE = "{language}"' in text
    assert f'CONFIRM = "{word}"' in text
    assert "Set-Cookie" not in answer.headers
