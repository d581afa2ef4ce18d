"""`manage.py seed_demo`: fills an empty database with Riverside Clinic, on development only."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from patients.privacy.audit import keeping_record
from scheduling.seeding import cast, riverside


class Command(BaseCommand):
    help = (
        "Opens Riverside Clinic with a year of history and the weeks ahead. Running it again "
        "fills only days without visits."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if the clinic is there already"
        )
        parser.add_argument(
            "--show-logins", action="store_true", help="print one login for each audience"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not getattr(settings, "DEVELOPMENT", False):
            raise CommandError("Invented patients are for development, never for a clinic's data.")
        if not (options["if_empty"] and riverside.is_open()):
            with keeping_record(system="system:demo", purpose="demo"):
                riverside.seed(now=timezone.now(), say=self.stdout.write, progress=self._progress)
        if options["show_logins"]:
            self.stdout.write(logins())

    def _progress(self, visits: list[Any]) -> tqdm[Any]:
        """A bar on a terminal; elsewhere the step's own line is enough."""
        return tqdm(visits, unit="visit", leave=False, disable=None)


def logins() -> str:
    """Return one login for each audience, as lines of text."""
    rows = [
        ("Front desk", f"receptionist@{cast.DOMAIN}", cast.PASSWORD),
        ("Provider", f"provider@{cast.DOMAIN}", cast.PASSWORD),
        ("Clinic admin", f"admin@{cast.DOMAIN}", cast.PASSWORD),
        ("Privacy", f"privacy@{cast.DOMAIN}", cast.PASSWORD),
        ("Patient", cast.DEMO_PATIENT_EMAIL, "a code by e-mail, shown here by the worker"),
    ]
    return "\n".join(f"  {who:<14}{login:<34}{secret}" for who, login, secret in rows)
