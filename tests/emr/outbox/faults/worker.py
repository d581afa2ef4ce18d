"""A worker in a process of its own, which stops where it is told and waits there to be killed.

`python -m tests.emr.outbox.faults.worker NAME_OF_DATABASE CONNECTION STEP`. It says "ready" and
begins when a line comes in; at its step it says "there"; at its end how many it sent.
"""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
django.setup()

from django.db import connection  # noqa: E402 - nothing of Django's before its settings

from emr.outbox import pushing  # noqa: E402
from tests.reminders.faults.steps import Stopping  # noqa: E402

# When, and words of the statement that stand in no other.
STEPS = {
    "before the claim": ("before", "SET state = 'CLAIMED'"),
    "after the claim": ("after", "SET state = 'CLAIMED'"),
    "before it is begun": ("before", "SET state = 'SENDING'"),
    "after it is begun": ("after", "SET state = 'SENDING'"),
    "after their answer": ("before", 'UPDATE "emr_outboundmessage" SET "state"'),
    "before the link": ("before", 'INSERT INTO "emr_emrlink"'),
    "before the commit": ("after", 'UPDATE "emr_outboundmessage" SET "state"'),
}


def say(word: object) -> None:
    print(word, flush=True)


def stop() -> None:
    say("there")
    sys.stdin.readline()


def main() -> None:
    name, system, step = sys.argv[1:]
    connection.settings_dict["NAME"] = name
    connection.ensure_connection()
    say("ready")
    sys.stdin.readline()
    with connection.execute_wrapper(Stopping(step, stop, STEPS)):
        done = pushing.push(system or None)
    say(done.get("sent", 0))


if __name__ == "__main__":
    main()
