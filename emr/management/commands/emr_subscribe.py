"""Asks the record systems that offer it to notify us of changes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from emr.failures import EMRError, NotOffered
from emr.inbox.subscribing import subscribe
from emr.models import EMRConnection


class Command(BaseCommand):
    help = "Ask a record system, or all, to notify us of changes. Asking twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", nargs="*", help="names of connections; all where none is given")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Report each connection in a line; fail at the end where one did not answer."""
        wanted = EMRConnection.objects.active().select_related("clinic")
        if options["name"]:
            wanted = wanted.filter(name__in=options["name"])
        if not wanted:
            raise CommandError("There is no such active connection.")
        failed = [connection.name for connection in wanted if not self._subscribed(connection)]
        if failed:
            raise CommandError(f"Not subscribed: {', '.join(failed)}.")

    def _subscribed(self, connection: EMRConnection) -> bool:
        try:
            done = subscribe(connection)
        except NotOffered:
            self.stdout.write(f"{connection.name}: offers no subscriptions; let it be polled.")
            return True
        except EMRError as error:
            self.stderr.write(f"{connection.name}: {type(error).__name__} {' '.join(error.codes)}")
            return False
        new, known = ", ".join(done.new) or "none", len(done.known)
        self.stdout.write(f"{connection.name}: new: {new}; already there: {known}.")
        return True
