"""`manage.py reminders`: shows what would be sent and why not, or plans visits that have no plan.

Prints references of visits, never a name, an address or a word of a message.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from tqdm import tqdm

from patients.privacy.audit import keeping_record
from providers.models import Clinic
from reminders.forecasting import Fate, Line, forecast
from reminders.models import Reminder
from reminders.planning import STANDS, plan_again
from reminders.words import CHANNELS, WHYS
from scheduling.models import Appointment

LONGEST = 31 * 24
HEADINGS = ("When", "What", "Visit", "By", "Then")
TOTALS = {Fate.GOES: "would go", Fate.WAITS: "would wait", Fate.STAYS: "would not go"}


class Command(BaseCommand):
    help = (
        "Show what would be sent in the hours to come and why the rest would not (--dry-run), or"
        " plan the messages of coming visits that have no plan, as after an import (--plan)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--dry-run", action="store_true", help="send nothing, show what would go")
        what.add_argument("--plan", action="store_true", help="plan visits that have no plan")
        parser.add_argument("--hours", type=int, default=48, help="how far to look ahead (48)")
        parser.add_argument("--clinic", metavar="SLUG", help="this clinic only")
        parser.add_argument(
            "--all",
            action="store_true",
            help="with --plan: plan every coming visit anew, as after a change of policy",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        clinic = _clinic(options["clinic"])
        now = timezone.now()
        if options["plan"]:
            self._plan(_coming(clinic, everyone=options["all"], now=now), now=now)
        else:
            self._show(clinic, hours=options["hours"], now=now)

    def _show(self, clinic: Clinic | None, *, hours: int, now: datetime) -> None:
        if not 1 <= hours <= LONGEST:
            raise CommandError(f"--hours must be from 1 to {LONGEST}.")
        until = now + timedelta(hours=hours)
        # Contacts are opened while their index has two keys, and only then.
        with keeping_record(system="system:reminders", purpose="dry_run", clinic=clinic):
            lines = forecast(clinic=clinic, until=until, now=now)
        for line in _table([HEADINGS, *map(_cells, lines)] if lines else []):
            self.stdout.write(line)
        totals = Counter(line.fate for line in lines)
        told = ", ".join(f"{totals[fate]} {words}" for fate, words in TOTALS.items())
        self.stdout.write(f"In the next {hours} hours: {told}. Nothing was sent.")

    def _plan(self, visits: QuerySet[Appointment], *, now: datetime) -> None:
        before = Reminder.objects.count()
        total = visits.count()
        for visit in tqdm(visits.iterator(chunk_size=500), total=total, leave=False, disable=None):
            plan_again(visit, now=now)
        made = Reminder.objects.count() - before
        self.stdout.write(f"{total} visits looked at, {made} messages planned.")


def _clinic(slug: str | None) -> Clinic | None:
    if slug is None:
        return None
    clinic = Clinic.objects.filter(slug=slug).first()
    if clinic is None:
        raise CommandError("There is no clinic of this name. Names are those in its addresses.")
    return clinic


def _coming(clinic: Clinic | None, *, everyone: bool, now: datetime) -> QuerySet[Appointment]:
    """Return the visits to come that have no plan for their present time, or all of them."""
    visits = Appointment.objects.filter(
        scheduled_start__gt=now, status__in=STANDS, arrived_at=None
    ).select_related("clinic", "appointment_type")
    if clinic is not None:
        visits = visits.filter(clinic=clinic)
    if not everyone:
        plan = Reminder.objects.filter(appointment=OuterRef("pk"), sequence=OuterRef("sequence"))
        visits = visits.filter(~Exists(plan))
    return visits.order_by("scheduled_start", "pk")


def _cells(line: Line) -> tuple[str, ...]:
    visit = line.row.appointment
    at = line.at.astimezone(visit.clinic.zone) if visit is not None else line.at
    then = {Fate.GOES: "goes", Fate.WAITS: "goes then", Fate.STAYS: "not sent"}[line.fate]
    why = str(WHYS[line.why])
    return (
        f"{at:%a %d %b %H:%M %Z}",
        line.row.kind.lower().replace("_", " "),
        visit.reference if visit is not None else "",
        str(CHANNELS[line.channel]),
        f"{then}: {why}" if why else then,
    )


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return rows as lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(n) for cell, n in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in padded]
