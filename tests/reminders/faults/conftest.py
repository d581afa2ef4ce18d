"""A vendor of texts on this machine, by which the site sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.settings.vendors import channels
from reminders import dispatch
from reminders.outcomes import Pauses
from tests.reminders.vendors.twilio_server import TwilioServer


@pytest.fixture
def twilio(settings: Any) -> Iterator[TwilioServer]:
    with TwilioServer() as server:
        settings.CHANNELS = channels(email="smtp", sms="twilio", push="off")
        for name, value in server.settings.items():
            setattr(settings, name, value)
        yield server


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has turned this process away yet."""
    monkeypatch.setattr(dispatch, "pauses", Pauses())
