"""`manage.py emr_keys`: makes, lists and retires the key pairs that record systems know us by.

Prints ids and public halves; a private half leaves the database never.
"""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from emr.kinds import Algorithm
from emr.models import SigningKey
from emr.smart import keys
from patients.privacy.audit import keeping_record

SPAN = re.compile(r"(\d{1,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
OVERLAP = timedelta(hours=24)


class Command(BaseCommand):
    help = (
        "Keys for record systems that are proved to by signature. To change one: make a new one,"
        " wait until it signs (24 hours, so that copies of the list have it), wait five minutes"
        " more, then retire the old one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        new = acts.add_parser("new", help="make a pair and publish it")
        new.add_argument(
            "--algorithm", choices=[one.value for one in Algorithm], default=Algorithm.ES384.value
        )
        new.add_argument(
            "--signs-in",
            type=_span,
            metavar="SPAN",
            help="30m, 24h or 2d (default: 24h; at once where no other of its algorithm signs)",
        )
        acts.add_parser("list", help="show what is published, and which pair signs")
        retire = acts.add_parser("retire", help="publish a pair no longer")
        retire.add_argument("kid")

    def handle(self, *_args: Any, act: str, **options: Any) -> None:
        now = timezone.now()
        with keeping_record(system="system:operator", purpose="emr_keys"):
            if act == "new":
                self._new(Algorithm(options["algorithm"]), options["signs_in"], now)
            elif act == "retire":
                self._retire(options["kid"], now)
            else:
                self._list(now)

    def _new(self, algorithm: Algorithm, signs_in: timedelta | None, now: datetime) -> None:
        if signs_in is None:
            signs_in = OVERLAP if keys.signs(algorithm, now=now) else timedelta()
        key = keys.new_key(algorithm, signs_from=now + signs_in, now=now)
        self.stdout.write(f"{key.kid} {key.algorithm} signs from {_instant(key.signs_from)}")
        self.stdout.write(f"Published at {settings.SITE_URL}{reverse('smart:jwks')}")

    def _retire(self, kid: str, now: datetime) -> None:
        try:
            keys.retire(kid, now=now)
        except SigningKey.DoesNotExist:
            raise CommandError(f"{kid} is not published.") from None
        except keys.StillNeeded:
            raise CommandError(
                f"{kid} is the only pair of its algorithm that signs: make a new one first, and"
                " wait until it signs."
            ) from None
        self.stdout.write(f"{kid} is retired.")

    def _list(self, now: datetime) -> None:
        for key in keys.live(now=now):
            state = "signs" if keys.is_signing(key, now=now) else _waiting(key, now)
            self.stdout.write(f"{key.kid} {key.algorithm} {state}")


def _waiting(key: SigningKey, now: datetime) -> str:
    if key.signs_from > now:
        return f"signs from {_instant(key.signs_from)}"
    return "published only: a newer one signs"


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _span(text: str) -> timedelta:
    """Read 30m, 24h or 2d."""
    match = SPAN.fullmatch(text)
    if match is None:
        raise ArgumentTypeError("give minutes, hours or days: 30m, 24h, 2d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
