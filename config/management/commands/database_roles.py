"""`manage.py database_roles`: the grants of the app's, the sealer's and the backup's role."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup.programs import target
from config.database_roles import TABLES, Roles, statements


class Command(BaseCommand):
    help = (
        "Prints, or with --apply executes, what each database role may do. The roles exist "
        "already; run it as the owner, after each migrate."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        for name in ("app", "sealer", "backup"):
            parser.add_argument(f"--{name}", default=f"daysheet_{name}", metavar="ROLE")
        parser.add_argument("--apply", action="store_true", help="all of it, or nothing")

    def handle(
        self, *_args: Any, app: str, sealer: str, backup: str, apply: bool, **_options: Any
    ) -> None:
        """Print SQL for psql; with --apply execute it in one transaction."""
        place = target(settings.DATABASES["default"])
        with place.connect() as link:
            tables = [name for (name,) in link.execute(TABLES)]
            try:
                wanted = list(
                    statements(Roles(app, sealer, backup), tables=tables, database=link.info.dbname)
                )
            except LookupError as error:
                raise CommandError(str(error)) from error
            for statement in wanted:
                if apply:
                    link.execute(statement)
                else:
                    self.stdout.write(f"{statement.as_string(link)};")
        if apply:
            self.stdout.write(f"{len(wanted)} statements: each role may do its part and no more.")
