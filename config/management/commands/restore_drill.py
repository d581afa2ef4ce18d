"""`manage.py restore_drill FILE`: proof that a backup would bring the clinic back, and how soon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from config.backup import keys
from config.backup.drill import drill
from config.backup.errors import BackupFailed


class Command(BaseCommand):
    help = "Restores a backup into a server of its own, proves it, and throws it away."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        """Print the figures as one line of JSON; one line and status 1 where the proof fails."""
        try:
            with (
                file.open("rb") as sealed,
                tqdm(desc="Restoring", unit="B", unit_scale=True, disable=None) as bar,
            ):
                figures = drill(
                    sealed, keys=keys.ring(), progress=bar.update, project=settings.BASE_DIR
                )
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"file": file.name, **figures}))
