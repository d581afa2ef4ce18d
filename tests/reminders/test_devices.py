"""Browsers that asked for notifications: which are taken, whose they are, and how they end."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.models import User
from django.db import connection

from patients.contact_changes import address_left
from patients.models import Patient
from providers.models import Clinic
from reminders import devices, preferences
from reminders.models import ConsentChange, PushSubscription
from tests.factories import PatientFactory, UserFactory
from tests.reminders.browser_keys import endpoint, keys, text

pytestmark = pytest.mark.django_db
KNOWN = ["fcm.googleapis.com", "*.push.apple.com", "127.0.0.1"]


@pytest.fixture(autouse=True)
def _known_hosts(settings: Any) -> None:
    settings.PUSH_HOSTS = KNOWN


@pytest.fixture
def account(db: None) -> User:
    return UserFactory.create()


@pytest.fixture
def family(clinic: Clinic, account: User) -> list[Patient]:
    """Two records that one account opens."""
    return [PatientFactory.create(clinic=clinic, user=account) for _ in range(2)]


def subscribe(patient: Patient, *, now: datetime, **told: Any) -> PushSubscription:
    browser = {"endpoint": endpoint(), **keys(), "language": "en", "by_user": None} | told
    return devices.subscribe(patient=patient, **browser, now=now)


def said(patient: Patient) -> list[tuple[str, bool]]:
    rows = ConsentChange.objects.filter(patient=patient).order_by("at", "pk")
    return [(row.channel, row.given) for row in rows]


def test_a_browser_is_kept_sealed_and_is_a_yes_to_notifications(
    patient: Patient, account: User, now: datetime
) -> None:
    told = {"endpoint": endpoint(), **keys()}
    device = subscribe(patient, now=now, by_user=account, **told)
    kept = PushSubscription.objects.get(pk=device.pk)
    assert (kept.endpoint, kept.p256dh, kept.auth) == tuple(told.values())
    with connection.cursor() as cursor:
        cursor.execute("SELECT endpoint || p256dh || auth FROM reminders_pushsubscription")
        (stored,) = cursor.fetchone()
    assert not any(value in stored for value in told.values())
    assert said(patient) == [("PUSH", True)]
    assert ConsentChange.objects.get().by_user == account


def test_the_same_browser_again_is_one_device_with_its_new_keys(
    patient: Patient, now: datetime
) -> None:
    address, new = endpoint(), keys()
    subscribe(patient, now=now, endpoint=address)
    subscribe(patient, now=now + timedelta(days=1), endpoint=address, **new)
    kept = PushSubscription.objects.get()
    assert (kept.p256dh, kept.auth) == (new["p256dh"], new["auth"])
    assert said(patient) == [("PUSH", True)]


def test_a_browser_that_somebody_else_uses_now_is_theirs(patient: Patient, now: datetime) -> None:
    other, address = PatientFactory.create(clinic=patient.clinic), endpoint()
    subscribe(patient, now=now, endpoint=address)
    subscribe(other, now=now, endpoint=address)
    assert devices.latest(patient) is None
    found = devices.latest(other)
    assert found is not None
    assert found.endpoint == address


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/send/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://user:word@fcm.googleapis.com/x",
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://push.apple.com/x",
        "https://evilpush.apple.com/x",
        "ftp://127.0.0.1/x",
        "https://169.254.169.254/x",
        "https://fcm.googleapis.com/\nHost: evil.example",
        "https://[fcm.googleapis.com/x",
        "https://fcm.googleapis.com:port/x",
        "//fcm.googleapis.com/x",
        "https://fcm.googleapis.com/" + "x" * 1_000,
        "",
    ],
)
def test_an_address_of_no_known_push_service_is_refused(
    patient: Patient, now: datetime, address: str
) -> None:
    with pytest.raises(devices.UnknownDevice):
        subscribe(patient, now=now, endpoint=address)
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "https://fcm.googleapis.com/x",
        "https://FCM.googleapis.com/x",
        "https://fcm.googleapis.com:443/x",
        "https://web.push.apple.com/x",
        "http://127.0.0.1:9000/x",
    ],
)
def test_an_address_of_a_known_push_service_is_taken(address: str) -> None:
    assert devices.is_known(address)


@pytest.mark.parametrize(
    "broken",
    [
        {"p256dh": text(b"\x04" + b"\x01" * 64)},
        {"p256dh": text(b"short")},
        {"p256dh": ""},
        {"p256dh": "ä" * 87},
        {"auth": text(b"fifteen bytes..")},
        {"auth": "no base64!"},
        {"auth": ""},
    ],
)
def test_keys_that_no_browser_makes_are_refused(
    patient: Patient, now: datetime, broken: dict[str, str]
) -> None:
    with pytest.raises(devices.UnknownDevice):
        subscribe(patient, now=now, **broken)


def test_the_last_device_to_go_switches_the_channel_off(patient: Patient, now: datetime) -> None:
    first, second = endpoint(), endpoint()
    for address in (first, second):
        subscribe(patient, now=now, endpoint=address)
    later: Any = {"by_user": None, "now": now + timedelta(hours=1)}
    assert devices.leave(patient=patient, endpoint=first, **later)
    assert preferences.preference_of(patient).push is True
    assert devices.leave(patient=patient, endpoint=second, **later)
    assert preferences.preference_of(patient).push is False
    assert said(patient)[-1] == ("PUSH", False)
    subscribe(patient, now=now + timedelta(hours=2), endpoint=second)
    assert preferences.preference_of(patient).push is True


def test_nobody_ends_a_device_of_another_account(patient: Patient, now: datetime) -> None:
    other, address = PatientFactory.create(clinic=patient.clinic), endpoint()
    subscribe(patient, now=now, endpoint=address)
    assert not devices.leave(patient=other, endpoint=address, by_user=None, now=now)
    assert devices.latest(patient) is not None
    assert said(other) == []


def test_a_device_serves_all_records_of_its_account_and_no_other(
    family: list[Patient], patient: Patient, now: datetime
) -> None:
    one, other = family
    device = subscribe(one, now=now)
    assert devices.latest(other) == device
    assert devices.latest(patient) is None


def test_records_without_an_account_share_no_device(patient: Patient, now: datetime) -> None:
    other = PatientFactory.create(clinic=patient.clinic)
    assert patient.user_id is None
    assert other.user_id is None
    subscribe(patient, now=now)
    assert devices.latest(other) is None


def test_the_newest_live_device_is_the_one(patient: Patient, now: datetime) -> None:
    older = subscribe(patient, now=now - timedelta(days=2))
    newer = subscribe(patient, now=now - timedelta(days=1))
    assert devices.latest(patient) == newer
    devices.end(device=newer, now=now)
    assert devices.latest(patient) == older
    assert said(patient) == [("PUSH", True), ("PUSH", True)]  # gone is no word of the patient's


def test_devices_end_with_the_address_that_they_were_set_up_by(
    patient: Patient, now: datetime
) -> None:
    subscribe(patient, now=now)
    address_left(patient)
    assert devices.latest(patient) is None


@pytest.mark.parametrize("form", ["raw", "DER"])
def test_the_public_key_belongs_to_the_private_one(settings: Any, form: str) -> None:
    private = derive_private_key(123_456_789, SECP256R1())
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    raw = (123_456_789).to_bytes(32)
    settings.VAPID_PRIVATE_KEY = text(raw if form == "raw" else der)
    told = devices.application_key()
    point = urlsafe_b64decode(told + "=" * (-len(told) % 4))
    public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    assert public.public_numbers() == private.public_key().public_numbers()


def test_without_a_private_key_there_is_no_public_one(settings: Any) -> None:
    settings.VAPID_PRIVATE_KEY = ""
    assert devices.application_key() == ""
