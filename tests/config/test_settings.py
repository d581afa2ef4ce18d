"""Production settings start with what they need and stop, in one line, at anything unsafe."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

made = count()
# Settings whose refusal may repeat them.
SHOWN = {"REDIS_URL", "ALLOWED_HOSTS"}


def digest() -> bytes:
    """Return 32 bytes that look random, and are the same in every process that runs the tests."""
    return hashlib.sha256(b"key %d" % next(made)).digest()


def random_key(size: int = 32) -> str:
    return base64.b64encode(digest()[:size]).decode()


GOOD = {
    "SECRET_KEY": digest().hex(),
    "BLIND_INDEX_KEY": digest().hex(),
    "DATA_KEYS": f"2026-a:{random_key()}",
    "AUDIT_VERIFY_KEYS": f"2026:{random_key()}",
    "AUDIT_ANCHOR": "/nowhere/anchor",
    "ALLOWED_HOSTS": "clinic.example",
    "DATABASE_URL": "postgresql://app@/daysheet?host=/nowhere",
    "EMAIL_HOST": "mail.clinic.example",
    "SITE_URL": "https://clinic.example",
    "DEFAULT_FROM_EMAIL": "desk@clinic.example",
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
}


def start(
    code: str = "", changes: dict[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    wanted: dict[str, str | None] = {**GOOD, **(changes or {})}
    environment = {key: value for key, value in wanted.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{code}"],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_with_all_it_needs() -> None:
    assert start().returncode == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "development-only-not-a-secret-0000000000000000000000000000"),
        ("BLIND_INDEX_KEY", "development-only-" + "0" * 47),
        ("BLIND_INDEX_KEY", GOOD["SECRET_KEY"]),
        ("BLIND_INDEX_KEY_OLD", "short"),
        ("DATA_KEYS", None),
        ("DATA_KEYS", ""),
        ("DATA_KEYS", random_key()),
        ("DATA_KEYS", f"a:{random_key(31)}"),
        ("DATA_KEYS", f"a:{random_key()},a:{random_key()}"),
        ("DATA_KEYS", f"{GOOD['DATA_KEYS']},b:{GOOD['DATA_KEYS'][7:]}"),
        ("DATA_KEYS", f"{GOOD['DATA_KEYS']},b:{base64.b64encode(bytes(32)).decode()}"),
        ("DATA_KEYS", "development:ZGV2ZWxvcG1lbnQtb25seS1uby1zZWNyZXQtMDAwMDA="),
        ("AUDIT_VERIFY_KEYS", None),
        ("AUDIT_VERIFY_KEYS", "2026:short"),
        ("AUDIT_VERIFY_KEYS", "development:H22PfRnA0epG0TfTswDo18G2NDw00iaiurVkk1C4kTU="),
        ("AUDIT_ANCHOR", None),
        ("BACKUP_KEYS", "b1:short"),
        ("BACKUP_KEYS", f"b1:{GOOD['DATA_KEYS'][7:]}"),
        ("BACKUP_KEYS", "development:ZGV2ZWxvcG1lbnQtb25seS1uby1iYWNrdXAtMDAwMDA="),
        ("ALLOWED_HOSTS", None),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "postgresql://app@db.example/daysheet"),
        ("DATABASE_URL", "postgresql://app@127.0.0.1/daysheet?sslmode=require"),
        ("REDIS_URL", "rediss://cache.example/0?ssl_cert_reqs=none"),
        ("EMAIL_HOST", None),
        ("EMAIL_CHANNEL", "sendgrid"),
        ("EMAIL_CHANNEL", "file"),
        ("EMAIL_CHANNEL", "pigeon"),
        ("SMS_CHANNEL", "console"),
        ("SMS_CHANNEL", "memory"),
        ("SMS_CHANNEL", "twilio"),
        ("PUSH_CHANNEL", "console"),
        ("PUSH_CHANNEL", "webpush"),
        ("ALLOWED_HOSTS", "*"),
        ("SITE_URL", "http://clinic.example"),
        ("REDIS_URL", "redis://10.0.0.5:6379/0"),
        ("REDIS_URL", "redis://localhost.elsewhere.example/0"),
    ],
)
def test_production_refuses_what_is_missing_or_unsafe(name: str, value: str | None) -> None:
    done = start(changes={name: value})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert name in last
    assert not value or value not in last or name in SHOWN or name.endswith("_CHANNEL")


TWILIO = {"SMS_CHANNEL": "twilio", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "a-token"}
SENDGRID = {
    "EMAIL_CHANNEL": "sendgrid",
    "SENDGRID_API_KEY": "SG.key",
    "SENDGRID_EVENT_KEY": "public",
    "EMAIL_HOST": None,
}
WEB_PUSH = {
    "PUSH_CHANNEL": "webpush",
    "VAPID_PRIVATE_KEY": base64.urlsafe_b64encode(digest()).decode(),
}
SHOW_CHANNELS = """
from django.conf import settings
print(*(path.rpartition(".")[2] for path in settings.CHANNELS.values()))
"""


@pytest.mark.parametrize(
    ("changes", "channels"),
    [
        ({}, "Mail Off Off"),
        (TWILIO | {"TWILIO_FROM": "+12125550100"}, "Mail Twilio Off"),
        (TWILIO | {"TWILIO_MESSAGING_SERVICE_SID": "MG1"}, "Mail Twilio Off"),
        (SENDGRID, "SendGrid Off Off"),
        (WEB_PUSH, "Mail Off WebPush"),
    ],
)
def test_production_starts_with_the_vendors_it_can_use(
    changes: dict[str, str | None], channels: str
) -> None:
    assert start(SHOW_CHANNELS, changes).stdout.strip() == channels


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        (TWILIO, "TWILIO_FROM"),
        (TWILIO | {"TWILIO_FROM": "+1", "TWILIO_AUTH_TOKEN": None}, "TWILIO_AUTH_TOKEN"),
        (TWILIO | {"TWILIO_FROM": "+1", "TWILIO_ACCOUNT_SID": ""}, "TWILIO_ACCOUNT_SID"),
        (SENDGRID | {"SENDGRID_API_KEY": None}, "SENDGRID_API_KEY"),
        (SENDGRID | {"SENDGRID_EVENT_KEY": None}, "SENDGRID_EVENT_KEY"),
        (WEB_PUSH | {"VAPID_PRIVATE_KEY": None}, "VAPID_PRIVATE_KEY"),
        (WEB_PUSH | {"VAPID_PRIVATE_KEY": "short"}, "VAPID_PRIVATE_KEY"),
        (
            WEB_PUSH | {"VAPID_PRIVATE_KEY": "ZGV2ZWxvcG1lbnQtb25seS1uby1wdXNoLWtleS0wMDA"},
            "VAPID_PRIVATE_KEY",
        ),
    ],
)
def test_production_refuses_a_vendor_without_its_keys(
    changes: dict[str, str | None], missing: str
) -> None:
    done = start(changes=changes)
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert missing in last
    assert not any(value and value in last for value in ("a-token", "SG.key", "ZGV2", "short"))


SHOW_ADDRESS = """
from django.test import RequestFactory
from allauth.account.adapter import get_adapter
headers = {"HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9", "REMOTE_ADDR": "10.0.0.1"}
print(get_adapter().get_client_ip(RequestFactory().get("/", **headers)))
"""


@pytest.mark.parametrize(
    ("proxies", "address"), [(None, "10.0.0.1"), ("1", "203.0.113.9"), ("2", "6.6.6.6")]
)
def test_limits_count_by_the_address_that_trusted_proxies_saw(
    proxies: str | None, address: str
) -> None:
    assert start(SHOW_ADDRESS, {"TRUSTED_PROXIES": proxies}).stdout.strip() == address


def test_the_demos_code_cannot_be_loaded_in_production() -> None:
    done = start("import config.demo.apps")
    assert done.returncode != 0
    assert "cannot be loaded outside development" in done.stderr
