"""`manage.py verify_audit`: says whether the record of looks is what it was when it was sealed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from patients.chain import BadKey
from patients.models import AuditSeal
from patients.privacy.verify import CannotVerify, verify


class Command(BaseCommand):
    help = (
        "Verifies the audit. Ends with 0 when nothing was altered, 1 with a line that names the"
        " first bad row or seal, 2 when there is no key or no anchor to verify with."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", type=Path, metavar="FILE", help="instead of AUDIT_ANCHOR")
        parser.add_argument(
            "--from", type=int, default=1, metavar="SEAL", dest="since", help="begin at this seal"
        )
        parser.add_argument(
            "--without-anchor",
            action="store_true",
            help="cannot tell whether the end was cut off",
        )

    def handle(
        self, *_args: Any, anchor: Path | None, since: int, without_anchor: bool, **_options: Any
    ) -> None:
        if since < 1:
            raise CommandError("--from takes the number of a seal, 1 or more.", returncode=2)
        with tqdm(desc="Verifying", total=_rows(since), unit="row", disable=None) as bar:
            try:
                verdict = verify(
                    path=anchor,
                    anchored=not without_anchor,
                    since=since,
                    progress=bar.update,
                )
            except (BadKey, CannotVerify) as error:
                raise CommandError(str(error), returncode=2) from error
        if not verdict.intact:
            raise CommandError(str(verdict))
        self.stdout.write(str(verdict))


def _rows(since: int) -> int:
    """Return how many rows the seals from one on cover, for the progress bar."""
    totals = AuditSeal.objects.order_by("-number").values_list("total", flat=True)
    return (totals.first() or 0) - (totals.filter(number=since - 1).first() or 0)
