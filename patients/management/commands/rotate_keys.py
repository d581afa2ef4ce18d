"""`manage.py rotate_keys`: everything that is stored gets the newest keys, while people work."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string
from tqdm import tqdm

from patients.crypto import SealBroken
from patients.models import Patient
from patients.models.audit import Act
from patients.privacy.audit import keeping_record
from patients.reindexing import reindex_all
from patients.rotation import Shelf, Unfinished, shelves, turn_all
from patients.secrets import ring
from patients.sentinel import WrongKeys, forget_all_but_writing, prove

SYSTEM = "system:rotate_keys"


class Command(BaseCommand):
    help = (
        "Seals all stored values again under the first key of DATA_KEYS, and writes the blind"
        " indexes again while BLIND_INDEX_KEY_OLD is set. May be stopped and started at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only count what is to be done")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit with 1 and one line where a key is wrong or something could not be finished."""
        try:
            prove()
            if options["dry_run"]:
                self._count()
                return
            with keeping_record(
                system=SYSTEM, purpose="key_rotation", action=Act.UPDATE, page="rotate_keys"
            ):
                self._turn()
        except (WrongKeys, Unfinished, SealBroken) as error:
            raise CommandError(str(error)) from None

    def _count(self) -> None:
        for shelf in shelves():
            self.stdout.write(f"{shelf.name}: {shelf.stale():,} to be sealed again")
        if settings.BLIND_INDEX_KEY_OLD:
            self.stdout.write(f"Blind indexes: {Patient.objects.count():,} records to be compared")

    def _turn(self) -> None:
        """Turn all that can be turned, then fail for what could not.

        A process that still has the old settings may have written to a shelf that was done: then
        its key must not be forgotten.
        """
        unfinished = []
        for shelf in shelves():
            try:
                self._turn_one(shelf)
            except Unfinished as error:
                unfinished.append(str(error))
        if settings.BLIND_INDEX_KEY_OLD:
            self._reindex()
        if not unfinished:
            unfinished = [
                f"{shelf.name}: written meanwhile" for shelf in shelves() if shelf.stale()
            ]
        if unfinished:
            raise Unfinished("; ".join(unfinished))
        for key_id in forget_all_but_writing():
            self.stdout.write(f"Nothing needs the key {key_id} any longer.")
        self.stdout.write(f"Everything is sealed with the key {ring().ids[0]}.")

    def _turn_one(self, shelf: Shelf) -> None:
        with self._bar(shelf.name, shelf.stale()) as bar:
            done = turn_all(shelf, advance=bar.update)
        self.stdout.write(f"{shelf.name}: {done:,} sealed again")

    def _reindex(self) -> None:
        """Every record is opened for it, and none is shown: the record names the job, not them."""
        with self._bar("Blind indexes", Patient.objects.count()) as bar:
            done = reindex_all(advance=bar.update)
        for name in settings.REINDEX_HANDLERS:
            with self._bar(name, None) as bar:
                done += import_string(name)(bar.update)
        self.stdout.write(f"Blind indexes: {done:,} written again")

    def _bar(self, text: str, total: int | None) -> Any:
        return tqdm(desc=text, total=total, unit=" rows", file=sys.stderr, leave=False)
