"""A worker in a process of its own that offers freed time, stops where it is told, and waits there
to be killed.

`python -m tests.scheduling.waitlist.faults.worker NAME_OF_DATABASE STEP`. It says "there" at its
step, and "done" if it never came there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
django.setup()

from django.db import connection  # noqa: E402 - nothing of Django's before its settings
from django.test import override_settings  # noqa: E402

from scheduling.tasks import offer  # noqa: E402

REACH = "tests.scheduling.waitlist.reaching.anybody"
# When, and words of the statement that stand in no other of a step.
STEPS: Mapping[str, tuple[str, str]] = {
    "before the expiry": ("before", 'UPDATE "scheduling_waitlistoffer" SET "status"'),
    "in the expiry": ("after", 'UPDATE "scheduling_waitlistoffer" SET "status"'),
    "between expiry and next offer": ("before", 'UPDATE "scheduling_slothold"'),
    "before the offer": ("before", 'INSERT INTO "scheduling_waitlistoffer"'),
    "before it is told": ("before", "INSERT INTO reminders_notice"),
    "in the offer": ("after", "INSERT INTO reminders_notice"),
}


def say(word: str) -> None:
    print(word, flush=True)


class Stopping:
    """Wraps the statements of a connection; waits for its end at the step."""

    def __init__(self, step: str) -> None:
        self.when, self.words = STEPS[step]

    def __call__(self, execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        is_it = self.words in str(sql)
        if is_it and self.when == "before":
            self._stop()
        done = execute(sql, *rest)
        if is_it and self.when == "after":
            self._stop()
        return done

    def _stop(self) -> None:
        say("there")
        sys.stdin.readline()


def main() -> None:
    name, step = sys.argv[1:]
    connection.settings_dict["NAME"] = name
    with override_settings(OFFER_REACH=REACH), connection.execute_wrapper(Stopping(step)):
        offer()
    say("done")


if __name__ == "__main__":
    main()
