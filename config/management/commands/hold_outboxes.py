"""`manage.py hold_outboxes`: no background job starts until a person releases them."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from patients import outboxes


class Command(BaseCommand):
    help = "Holds background jobs, for example after a copy of the server's files was started."

    def handle(self, *_args: Any, **_options: Any) -> None:
        outboxes.hold(now=timezone.now())
        self.stdout.write("No background job starts until: manage.py release_outboxes")
