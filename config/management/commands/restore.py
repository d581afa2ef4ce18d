"""`manage.py restore FILE`: a backup into the empty database that DATABASE_URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from config.backup import keys, programs, restoring
from config.backup.errors import BackupFailed

HELD = (
    "Restored. Background jobs stay held until a person has looked at what would be sent: "
    "manage.py release_outboxes"
)


class Command(BaseCommand):
    help = "Restores a backup into an empty database; its background jobs stay held."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        """Restore all or nothing; one line and status 1 where that fails."""
        target = programs.target(settings.DATABASES["default"])
        try:
            with (
                file.open("rb") as sealed,
                tqdm(desc="Restoring", unit="B", unit_scale=True, disable=None) as bar,
            ):
                restoring.restore(sealed, target=target, keys=keys.ring(), progress=bar.update)
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stderr.write(HELD)
