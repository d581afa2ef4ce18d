"""`manage.py prove_restore`: the part of a drill that runs with the copy as its database."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.backup import programs
from config.backup.errors import BackupFailed
from config.backup.manifest import Manifest
from config.backup.proof import prove


class Command(BaseCommand):
    help = "Reads a manifest from standard input and proves that DATABASE_URL holds what it says."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print the figures as one line of JSON; one line and status 1 where the proof fails."""
        expected = Manifest.decoded(sys.stdin.buffer.read())
        copy = programs.target(settings.DATABASES["default"])
        try:
            self.stdout.write(json.dumps(prove(expected, copy=copy)))
        except BackupFailed as error:
            raise CommandError(str(error)) from error
