"""The vendors on this machine, and ways that lead to them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reminders.channels.registry import way
from tests.config.certificates import Certificate, certificate
from tests.reminders.vendors.push_server import PushServer
from tests.reminders.vendors.sendgrid_server import SendGridServer
from tests.reminders.vendors.twilio_server import TwilioServer

Apply = Callable[[Mapping[str, Any]], None]


@pytest.fixture
def apply(settings: Any) -> Iterator[Apply]:
    """Write a vendor's settings into the site's; a second is enough to wait for one of them."""
    settings.VENDOR_TIMEOUT_SECONDS = 1

    def written(values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(settings, name, value)

    yield written
    way.cache_clear()


@pytest.fixture
def twilio(apply: Apply) -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        apply(server.settings)
        yield server


@pytest.fixture
def sendgrid(apply: Apply) -> Iterator[SendGridServer]:
    with SendGridServer() as server:
        apply(server.settings)
        yield server


@pytest.fixture
def push(apply: Apply) -> Iterator[PushServer]:
    with PushServer() as server:
        apply(server.settings)
        yield server


@pytest.fixture(scope="session")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("authority"), "127.0.0.1")


@pytest.fixture
def trusted(own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the machine trust the authority of our own certificates."""
    monkeypatch.setenv("SSL_CERT_FILE", str(own_certificate.authority))
    assert ssl.get_default_verify_paths().cafile == str(own_certificate.authority)
    return own_certificate.authority
