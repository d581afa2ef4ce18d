"""The site says before the first message which way out cannot be used."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from reminders.checks import ways_can_be_used

TWILIO = "reminders.channels.twilio.Twilio"


def found() -> dict[str | None, str]:
    return {message.id: message.msg for message in ways_can_be_used(None)}


def test_the_tests_own_ways_can_be_used() -> None:
    assert found() == {}


def test_a_vendor_without_its_settings_is_an_error(settings: Any) -> None:
    settings.CHANNELS = {**settings.CHANNELS, "SMS": TWILIO}
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = "AC", "secret-token"
    assert found() == {
        "daysheet.E002": "TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID must be set for SMS."
    }
    settings.TWILIO_FROM = "+12125550100"
    assert found() == {}


@pytest.mark.parametrize("name", ["TWILIO_BASE_URL", "SENDGRID_BASE_URL"])
def test_a_vendor_without_tls_must_be_on_this_machine(settings: Any, name: str) -> None:
    setattr(settings, name, "http://vendor.example")
    assert found() == {"daysheet.E003": f"{name} must be https://, or on this machine."}
    setattr(settings, name, "http://127.0.0.1:8080")
    assert found() == {}


def test_a_clinic_that_texts_nobody_is_warned(settings: Any) -> None:
    settings.CHANNELS = {**settings.CHANNELS, "SMS": "reminders.channels.off.Off"}
    assert found() == {}, "a developer is not"
    settings.DEVELOPMENT = False
    assert list(found()) == ["daysheet.W001"]


@pytest.mark.parametrize(
    ("host", "said"),
    [(16, []), (17, ["daysheet.W002"]), (40, ["daysheet.W002"]), (41, ["daysheet.E004"])],
)
def test_a_long_address_leaves_too_little_room_in_texts(
    settings: Any, host: int, said: list[str]
) -> None:
    settings.SITE_URL = "https://" + "h" * host
    assert list(found()) == said
    settings.CHANNELS = {**settings.CHANNELS, "SMS": "reminders.channels.off.Off"}
    assert list(found()) == []


@pytest.mark.parametrize("text", ["nonsense", "c2hvcnQ=", "ä"])
def test_a_key_that_cannot_be_read_is_an_error(settings: Any, text: str) -> None:
    settings.SENDGRID_EVENT_KEY = text
    assert list(found()) == ["daysheet.E005"]


@pytest.mark.parametrize(
    ("private", "said"),
    [
        (ec.generate_private_key(ec.SECP256R1()), []),
        (ed25519.Ed25519PrivateKey.generate(), ["daysheet.E005"]),
    ],
    ids=["elliptic curve", "another kind"],
)
def test_only_a_key_of_the_kind_that_signs_reports_is_taken(
    settings: Any, private: Any, said: list[str]
) -> None:
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    settings.SENDGRID_EVENT_KEY = b64encode(der).decode()
    assert list(found()) == said
