"""Slows down whoever asks too often; a window later they may ask again, so nobody is locked out.

Counts in Django's default cache under keyed digests, so that it names no contact and no address.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _


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
        window = int(time.time()) // self.seconds
        digest = salted_hmac("patients.throttle", who, algorithm="sha256").hexdigest()
        key = f"throttle:{self.name}:{window}:{digest}"
        if cache.add(key, 1, self.seconds):
            return
        try:
            count = cache.incr(key)
        except ValueError:  # the key ended between the two calls: a new window
            return
        if count > self.times:
            raise TooManyRequests
