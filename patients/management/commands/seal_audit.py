"""`manage.py seal_audit`: seals the record now or every so often; makes keys; resumes."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, close_old_connections
from django.utils import timezone

from patients.chain import BadKey, SealKey
from patients.privacy.anchor import AnchorAhead, AnchorBroken, AnchorMissing
from patients.privacy.seal import NoSealKey, new_anchor, resume_after_restore, seal

logger = logging.getLogger(__name__)

REFUSALS = (AnchorAhead, AnchorBroken, AnchorMissing, BadKey, NoSealKey, OSError)


class Command(BaseCommand):
    help = "Seals every row of the audit whose transaction is over."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--every", type=float, metavar="SECONDS", help="and again, until stopped")
        what.add_argument("--new-key", metavar="NAME", help="only print a new pair of keys")
        what.add_argument(
            "--after-restore",
            action="store_true",
            help="declare that what the anchor names beyond the last seal was lost in a restore",
        )
        what.add_argument(
            "--new-anchor",
            action="store_true",
            help="write a new anchor from the seals, where the old one is lost",
        )

    def handle(self, *_args: Any, new_key: str | None, **options: Any) -> None:
        """Do one of these; one line and status 1 where sealing must not go on."""
        try:
            if new_key is not None:
                self._print_keys(new_key)
            elif options["after_restore"]:
                self.stdout.write(f"Given up after the restore: {resume_after_restore()} seals.")
            elif options["new_anchor"]:
                self.stdout.write(f"The new anchor names {new_anchor()} seals.")
            elif options["every"]:
                self._keep_sealing(options["every"])
            else:
                self._seal()
        except REFUSALS as error:
            raise CommandError(str(error)) from error

    def _seal(self) -> None:
        done = seal(now=timezone.now())
        self.stdout.write(f"Sealed {done.rows} rows in {done.seals} seals.")

    def _keep_sealing(self, seconds: float) -> None:
        """Seal until a signal comes. A database that is away is asked again; the rest ends it."""
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.is_set():
            close_old_connections()
            try:
                seal(now=timezone.now())
            except Error:
                logger.exception("audit.not_sealed")
            stopped.wait(seconds)

    def _print_keys(self, name: str) -> None:
        private = Ed25519PrivateKey.generate()
        text = SealKey.written(name, private)
        self.stdout.write(f"AUDIT_SEAL_KEY={text}")
        self.stdout.write(f"AUDIT_VERIFY_KEYS={SealKey.parse(text).public()}")
