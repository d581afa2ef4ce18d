"""Slows down whoever asks too often; a window later they may ask again, so nobody is locked out.

Counts in a table of its own under keyed digests, so that it names no contact and no address. A
count is one statement and is written before the try is looked at: tries at the same time cannot
exceed a limit. Spend outside of a transaction, or what rolls back takes the count with it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from patients.models import TryCount

COUNT = """
INSERT INTO patients_trycount AS known (key, count, ends_at) VALUES (%s, 1, %s)
ON CONFLICT (key) DO UPDATE SET count = known.count + 1
RETURNING count
"""
GIVE_BACK = "UPDATE patients_trycount SET count = greatest(count - 1, 0) WHERE key = %s"


class TooManyRequests(Exception):
    """Somebody asked more often than is allowed; answered 429."""

    def __str__(self) -> str:
        return _("That was asked for too many times. Wait 15 minutes, then try again.")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `times` in each fixed window of `seconds`."""

    name: str
    times: int
    seconds: int = 15 * 60

    def spend(self, who: str) -> None:
        """Count one request of `who`, whatever comes of it. Raises TooManyRequests."""
        window = self._window()
        ends_at = datetime.fromtimestamp((window + 1) * self.seconds, UTC)
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [self._key(who, window), ends_at])
            row = cursor.fetchone()
        if row[0] > self.times:
            raise TooManyRequests

    def give_back(self, who: str) -> None:
        """Take one request of `who` off the count: it turned out to be none to slow down."""
        with connection.cursor() as cursor:
            cursor.execute(GIVE_BACK, [self._key(who, self._window())])

    def _window(self) -> int:
        return int(time.time()) // self.seconds

    def _key(self, who: str, window: int) -> str:
        told = f"{self.name}:{window}:{who}"
        return salted_hmac("patients.throttle", told, algorithm="sha256").hexdigest()


def sweep(now: datetime) -> int:
    """Remove counts whose window is over. Returns how many."""
    return TryCount.objects.filter(ends_at__lt=now).delete()[0]
