"""Opens the way back for somebody who lost every second factor, where no clinic admin can."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from patients import second_factor


class Command(BaseCommand):
    help = "Remove all second factors of a staff account; a new one is set up at the next sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(User.objects.filter(email__iexact=options["email"]).exclude(email="")[:2])
        if len(found) != 1:
            raise CommandError("No one account has this e-mail address.")
        count = second_factor.reset(user=found[0], by=None)
        self.stdout.write(f"Removed {count} second factor(s); the user is told by mail.")
