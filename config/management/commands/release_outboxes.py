"""`manage.py release_outboxes`: a person's word that this database is the clinic's own."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from patients import outboxes


class Command(BaseCommand):
    help = "Lets background jobs run again, after a restore or a hold."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Release what is held; twice is as good as once."""
        outboxes.release(now=timezone.now())
        self.stdout.write("Background jobs run in this database from now on.")
