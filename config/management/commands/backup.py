"""`manage.py backup --to FILE|-`: the whole database, sealed under the first of BACKUP_KEYS."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from config.backup import keys, making, programs
from config.backup.errors import BackupFailed


class Command(BaseCommand):
    help = "Writes an encrypted copy of the database, from one moment of it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", required=True, metavar="FILE", help="- for standard output")

    def handle(self, *_args: Any, to: str, **_options: Any) -> None:
        """Write the file whole or not at all; one line and status 1 where that fails."""
        source = programs.target(settings.DATABASES["default"])
        try:
            with (
                _output(to) as output,
                tqdm(desc="Dumping", unit="B", unit_scale=True, disable=None) as bar,
            ):
                taken = making.make(output, source=source, keys=keys.ring(), progress=bar.update)
                output.flush()
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        rows = sum(rows.count for rows in taken.tables.values())
        self.stderr.write(f"Backed up {len(taken.tables)} tables, {rows} rows.")


def _output(to: str) -> AbstractContextManager[BinaryIO]:
    if to != "-":
        return making.whole_file(Path(to).absolute())
    if sys.stdout.isatty():
        raise BackupFailed("A backup is not for a screen: send it to a file or a program.")
    return nullcontext(sys.stdout.buffer)
