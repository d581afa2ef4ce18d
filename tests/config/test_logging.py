from __future__ import annotations

import json
import logging

import pytest

from config.logging import JSONFormatter


def line(message: str, **extra: object) -> dict[str, str]:
    record = logging.makeLogRecord({"msg": message, "levelname": "WARNING", **extra})
    found: dict[str, str] = json.loads(JSONFormatter().format(record))
    return found


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/v/9xJ0pVb3T6eW1mQ-aZ_4cA/", "/v/…/"),
        ("/v/9xJ0pVb3T6eW1mQ-aZ_4cA", "/v/…"),
        ("/accounts/password/reset/key/1-cx3-0a1b2c/", "/accounts/password/reset/key/…/"),
        ("/visit/0190/change/", "/visit/0190/change/"),
    ],
)
def test_tokens_in_addresses_are_masked(path: str, logged: str) -> None:
    assert line(f"Internal Server Error: {path}")["message"] == f"Internal Server Error: {logged}"


def test_only_allowed_ids_are_written() -> None:
    written = line("booked", appointment="0190", email="ada@mail.example")

    assert written["appointment"] == "0190"
    assert "ada" not in json.dumps(written)
