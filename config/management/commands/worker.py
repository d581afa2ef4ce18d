"""`manage.py worker`: django-q2's cluster, none of whose processes outlives another's death."""

import signal
from typing import Any

from django_q.management.commands import qcluster

from config import lifeline


class Command(qcluster.Command):  # type: ignore[misc]  # it comes without types
    help = "Runs the background jobs."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until stopped. A killed worker loses nothing: its jobs are rows still to do."""
        lifeline.tie_forks(signal.SIGKILL)
        super().handle(*args, **options)
