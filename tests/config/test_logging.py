from __future__ import annotations

import json
import logging
import sys

import pytest
from django.db import IntegrityError, transaction

from config.logging import JSONFormatter
from providers.models import Clinic
from tests.factories import PatientFactory

ADA = "lovelace"


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


@pytest.mark.django_db
def test_an_error_is_logged_without_the_row_that_it_quotes(clinic: Clinic) -> None:
    try:
        with transaction.atomic():
            PatientFactory.create(clinic=clinic, family_name=ADA.title(), sex=None)
    except IntegrityError:
        written = line("refused", exc_info=sys.exc_info())
    assert ADA.title() not in json.dumps(written)
    assert "psycopg.errors.NotNullViolation" in written["traceback"]
    assert "django.db.utils.IntegrityError" in written["traceback"]
    assert "test_logging.py" in written["traceback"]


def test_a_failed_job_is_logged_without_what_its_error_says() -> None:
    told = f"Failed 'reminders.tasks.dispatch' (ten-green-bottles) - {ADA} : Traceback\n{ADA}"
    written = line(told, name="django-q")["message"]
    assert written == "Failed 'reminders.tasks.dispatch' (ten-green-bottles)"


def test_only_allowed_ids_are_written() -> None:
    written = line("booked", appointment="0190", email="ada@mail.example")

    assert written["appointment"] == "0190"
    assert "ada" not in json.dumps(written)
