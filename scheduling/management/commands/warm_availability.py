"""`manage.py warm_availability`: what the nightly job does, at once and with a bar to watch."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from tqdm import tqdm

from providers.models import Provider
from scheduling import block_store
from scheduling.availability.warming import warm


class Command(BaseCommand):
    help = "Works out the providers' free time for the days ahead and keeps it in Redis."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how many days ahead (30)")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not block_store.is_on():
            self.stdout.write("There is no Redis, or none that answers: nothing was warmed.")
            return
        total = Provider.objects.bookable().count()
        providers = filled = renewed = 0
        with tqdm(total=total, desc="Warming", unit=" providers", disable=None) as bar:
            for some in warm(days=options["days"], now=timezone.now()):
                bar.update(some.providers)
                providers += some.providers
                filled, renewed = filled + some.filled, renewed + some.renewed
        self.stdout.write(
            f"{providers:,} of {total:,} providers: {filled:,} blocks filled, {renewed:,} renewed."
        )
