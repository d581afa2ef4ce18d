"""The key that signs seals is in the one process that seals, and never in the web process."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from patients.chain import SealKey
from tests.config.test_settings import digest, start

TEXT = SealKey.written("2026", Ed25519PrivateKey.generate())
ANOTHER = SealKey.written("2026", Ed25519PrivateKey.from_private_bytes(digest()))
PAIR = {"AUDIT_SEAL_KEY": TEXT, "AUDIT_VERIFY_KEYS": SealKey.parse(TEXT).public()}
SHOW = "from django.conf import settings; print(bool(settings.AUDIT_SEAL_KEY))"
WEB = "import config.wsgi"


def test_the_sealing_process_has_the_key() -> None:
    done = start(SHOW, {**PAIR, "AUDIT_SEALER": "true"})
    assert (done.returncode, done.stdout.strip()) == (0, "True")


def test_other_processes_do_not_load_it() -> None:
    assert start(SHOW, dict(PAIR)).stdout.strip() == "False"


@pytest.mark.parametrize("more", [{}, {"AUDIT_SEALER": "true"}])
def test_the_web_process_refuses_to_start_with_it(more: dict[str, str | None]) -> None:
    done = start(WEB, {**PAIR, **more})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert "The web process must run without AUDIT_SEAL_KEY" in last


def test_the_web_process_starts_without_it() -> None:
    done = start(WEB, {"AUDIT_VERIFY_KEYS": PAIR["AUDIT_VERIFY_KEYS"]})
    assert "AUDIT" not in done.stderr


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (None, "AUDIT_SEAL_KEY"),
        ("2026:short", "AUDIT_SEAL_KEY"),
        (
            SealKey.written("2026", Ed25519PrivateKey.from_private_bytes(digest())),
            "the public half",
        ),
        (
            "development:ZGV2ZWxvcG1lbnQtb25seS1uby1zZWFsaW5nLTAwMDA=",
            "AUDIT_SEAL_KEY must be a key of your own",
        ),
    ],
)
def test_sealing_does_not_start_with_a_key_that_could_not_be_verified(
    key: str | None, what: str
) -> None:
    done = start(SHOW, {**PAIR, "AUDIT_SEALER": "true", "AUDIT_SEAL_KEY": key})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert what in last
    assert key is None or key not in last
