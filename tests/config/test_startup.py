"""Web and worker processes end at once, in one line, when their keys are the wrong ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections
from django.test import Client, override_settings

from config import startup
from config.startup import prove_keys
from patients.sentinel import prove
from tests.patients.rings import NEW, OLD_ID, WRONG

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _proven() -> None:
    prove()


def test_right_keys_start_and_leave_no_connection_to_share() -> None:
    prove_keys()
    assert all(one.connection is None for one in connections.all(initialized_only=True))


@pytest.mark.parametrize("keys", [WRONG, NEW, "nonsense"])
def test_wrong_keys_end_the_process_in_one_line(keys: str) -> None:
    with override_settings(DATA_KEYS=keys), pytest.raises(SystemExit) as ended:
        prove_keys()
    assert str(ended.value).startswith("Not started: ")
    assert "\n" not in str(ended.value)
    assert keys.partition(":")[2] not in str(ended.value) or keys == "nonsense"


def test_the_web_server_does_not_start_with_a_wrong_key() -> None:
    settings = connection.settings_dict
    code = (
        "from django.conf import settings\n"
        "import django\n"
        "django.setup()\n"
        f"settings.DATABASES['default']['NAME'] = {settings['NAME']!r}\n"
        f"settings.DATA_KEYS = {WRONG!r}\n"
        "import config.wsgi\n"
        "print('serving')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines() == [
        f"Not started: DATA_KEYS has another key {OLD_ID} than stored values."
    ]


def test_the_worker_does_not_start_with_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.lifeline.tie_forks", lambda _signal: None)
    with override_settings(DATA_KEYS=WRONG), pytest.raises(SystemExit, match="Not started"):
        call_command("worker")


def test_a_silent_database_does_not_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def silent() -> None:
        raise DatabaseError("password=hunter2")

    monkeypatch.setattr(startup, "prove", silent)
    prove_keys()
    assert [record.message for record in caplog.records] == ["keys.unproven: DatabaseError"]
    assert "hunter2" not in caplog.text


def test_readiness_tells_of_a_wrong_key(client: Client) -> None:
    assert client.get("/readyz").json()["keys"] == "ok"
    with override_settings(DATA_KEYS=WRONG):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["keys"]) == (503, "wrong")


def test_other_commands_ask_no_database() -> None:
    with override_settings(DATA_KEYS=WRONG):
        call_command("check")
