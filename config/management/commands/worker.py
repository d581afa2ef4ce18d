"""`manage.py worker`: django-q2's cluster, none of whose processes outlives another's death."""

import signal
import time
from typing import Any

from django_q.management.commands import qcluster

from config import lifeline
from config.startup import prove_keys
from patients import outboxes

LOOK_SECONDS = 5
HELD = (
    "Background jobs are held: this database is a copy, or somebody held them. Nothing runs and "
    "nothing is sent until: manage.py release_outboxes"
)


class Command(qcluster.Command):  # type: ignore[misc]  # it comes without types
    help = "Runs the background jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped. A killed worker loses nothing: its jobs are rows still to do."""
        lifeline.tie_forks(signal.SIGKILL)
        prove_keys()
        self.await_release()
        super().handle(*args, **options)

    def await_release(self) -> None:
        """Wait while the outboxes are held, and say once how to release them."""
        if outboxes.are_held():
            self.stderr.write(HELD)
        while outboxes.are_held():
            time.sleep(LOOK_SECONDS)
