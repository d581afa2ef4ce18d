"""A worker in a process of its own, which stops where it is told and waits there: to be killed, or
for a line to go on.

`python -m tests.reminders.faults.worker NAME_OF_DATABASE TWILIO_URL STEP THREADS`. It says "ready"
and begins when a line comes in; at its step it says "there"; at its end how many it sent.
"""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
django.setup()

from django.db import connection  # noqa: E402 - nothing of Django's before its settings
from django.test import override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from config.settings.vendors import channels  # noqa: E402
from reminders import dispatch, gathering  # noqa: E402
from tests.reminders.faults.steps import Stopping  # noqa: E402
from tests.reminders.vendors.twilio_server import ACCOUNT, SENDER, TOKEN  # noqa: E402

SETTINGS = {
    "CHANNELS": channels(email="smtp", sms="twilio", push="off"),
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
    "TWILIO_FROM": SENDER,
    "VENDOR_TIMEOUT_SECONDS": 30,
}


def say(word: object) -> None:
    print(word, flush=True)


def stop() -> None:
    say("there")
    sys.stdin.readline()


def main() -> None:
    name, url, step, threads = sys.argv[1:]
    connection.settings_dict["NAME"] = name
    with override_settings(**SETTINGS, TWILIO_BASE_URL=url):
        connection.ensure_connection()
        say("ready")
        sys.stdin.readline()
        with connection.execute_wrapper(Stopping(step, stop)):
            gathering.gather(now=timezone.now())
            done = dispatch.dispatch(threads=int(threads))
    say(done.sent)


if __name__ == "__main__":
    main()
