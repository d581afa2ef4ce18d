"""`manage.py emr_reconcile`: says where a clinic and its record system do not agree.

Prints ids and dates only. Changes nothing unless told to `--fix`, and then by the queues alone.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from emr.drivers.opening import opened
from emr.failures import EMRError
from emr.models import EMRConnection
from emr.reconciling.drift import Cure, Drift
from emr.reconciling.resuming import Bookmark, OtherComparison
from emr.reconciling.walking import Cell, Walk
from patients.privacy.audit import keeping_record

FOUND, BAD_INPUT, NO_ANSWER = 1, 2, 3
AHEAD = timedelta(days=30)
LONGEST = timedelta(days=400)


class Command(BaseCommand):
    help = (
        "Compare our visits with a record system's, by provider and day: missing here or there,"
        " there twice, not linked, or another status or time. Exit code 1: something does not"
        " agree; 2: bad input; 3: the system did not answer (--resume goes on from there)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--connection", required=True, metavar="ID", help="its id or its name")
        parser.add_argument("--from", dest="since", metavar="DATE", help="(default: today)")
        parser.add_argument(
            "--until", "--to", metavar="DATE", help="not included (default: 30 days later)"
        )
        parser.add_argument("--fix", action="store_true", help="queue what brings both together")
        parser.add_argument("--json", action="store_true", help="one JSON object for each line")
        parser.add_argument(
            "--resume", type=Path, metavar="FILE", help="remember in it how far this came"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        connection = _connection(options["connection"])
        since, until = _range(options["since"], options["until"], connection)
        bookmark = Bookmark(options["resume"], about=f"{connection.pk} {since} {until}")
        with keeping_record(system="system:emr", purpose="emr", clinic=connection.clinic):
            try:
                counts = self._compare(connection, since, until, bookmark, options)
            except OtherComparison as error:
                text = f"{options['resume']} is of another comparison: delete it, or name another."
                raise CommandError(text, returncode=BAD_INPUT) from error
            except OSError as error:
                raise CommandError(f"{error.strerror}.", returncode=BAD_INPUT) from error
            except EMRError as error:
                codes = " ".join(error.codes) or type(error).__name__
                text = f"The record system gave no answer: {codes}."
                raise CommandError(text, returncode=NO_ANSWER) from error
        self._conclude(counts, is_fixed=options["fix"])

    def _compare(
        self,
        connection: EMRConnection,
        since: date,
        until: date,
        bookmark: Bookmark,
        options: dict[str, Any],
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        with opened(connection) as driver:
            walk = Walk(connection, driver)
            for cell in _shown(bookmark.left_of(walk.cells(since, until))):
                compared = walk.look(cell)
                counts["visits"] += compared.visits
                for drift in compared.drifts:
                    counts["drifts"] += 1
                    counts["left"] += drift.cure is Cure.PERSON
                    if options["fix"]:
                        counts["queued"] += walk.cure(drift, now=timezone.now())
                    self.stdout.write(_line(cell, drift, as_json=options["json"]))
                bookmark.keep(cell)
        bookmark.close()
        return counts

    def _conclude(self, counts: Counter[str], *, is_fixed: bool) -> None:
        text = f"{counts['visits']} visits compared, {counts['drifts']} do not agree"
        if is_fixed:
            self.stderr.write(f"{text}; {counts['queued']} queued, {counts['left']} for a person.")
        elif counts["drifts"]:
            raise CommandError(f"{text}. Nothing was changed.", returncode=FOUND)
        else:
            self.stderr.write(f"{text}.")


def _shown(cells: Sequence[Cell]) -> Any:
    """A bar on a terminal; nothing elsewhere, since each difference has a line."""
    return tqdm(cells, desc="Comparing", unit="day", file=sys.stderr, leave=False, disable=None)


def _line(cell: Cell, drift: Drift, *, as_json: bool) -> str:
    told = {
        "kind": drift.kind.value,
        "cure": drift.cure.value,
        "provider": cell.provider,
        "day": cell.day.isoformat(),
        "appointment": str(drift.appointment or ""),
        "remote": drift.remote_id,
    }
    if as_json:
        return json.dumps(told)
    facts = " ".join(f"{name}={told[name] or '-'}" for name in list(told)[2:])
    return f"{told['kind']:<15} {told['cure']:<6} {facts}"


def _connection(wanted: str) -> EMRConnection:
    rows = EMRConnection.objects.select_related("clinic__time_zone")
    try:
        found = rows.filter(pk=wanted).first()
    except ValidationError:
        named = list(rows.filter(name=wanted)[:2])
        found = named[0] if len(named) == 1 else None
    if found is None:
        raise CommandError("There is no such connection, or more than one.", returncode=BAD_INPUT)
    return found


def _range(since: str | None, until: str | None, connection: EMRConnection) -> tuple[date, date]:
    today = timezone.localdate(timezone=connection.clinic.zone)
    try:
        first = date.fromisoformat(since) if since else today
        last = date.fromisoformat(until) if until else first + AHEAD
    except ValueError as error:
        raise CommandError("Dates are written 2026-11-30.", returncode=BAD_INPUT) from error
    if not timedelta() < last - first <= LONGEST:
        text = f"Give a range of 1 to {LONGEST.days} days."
        raise CommandError(text, returncode=BAD_INPUT)
    return first, last
