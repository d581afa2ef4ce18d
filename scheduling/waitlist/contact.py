"""Asks whoever sends messages how patients can be told of an offer, and has them told.

Who that is stands in settings; this module knows none of them, and no address.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from patients.models import Patient
from scheduling.models import WaitlistOffer
from scheduling.waitlist.pacing import Contact


@dataclass(frozen=True, slots=True)
class Reach:
    """When somebody may be told, out of quiet hours; `why` they cannot be told now.

    CAP: by tomorrow they can. NO_WAY: only a person could tell them. Empty: they can.
    """

    contact: Contact
    why: str = ""


class ReachOf(Protocol):
    """What settings.OFFER_REACH names."""

    def __call__(self, patients: Sequence[Patient], *, now: datetime) -> dict[UUID, Reach]: ...


class Handler(Protocol):
    """What settings.OFFER_HANDLERS names."""

    def __call__(self, offers: Sequence[WaitlistOffer], *, now: datetime) -> None: ...


@lru_cache(maxsize=16)
def _named(path: str) -> Callable[..., object]:
    return cast(Callable[..., object], import_string(path))


def reach(patients: Sequence[Patient], *, now: datetime) -> dict[UUID, Reach]:
    """Return how each of these patients can be told, by their id, in a few statements for all."""
    ask = cast(ReachOf, _named(settings.OFFER_REACH))
    return ask(patients, now=now) if patients else {}


def announce(offers: Sequence[WaitlistOffer], *, now: datetime) -> None:
    """Have offers by message told, in the transaction that makes them; what fails undoes them."""
    by_message = [offer for offer in offers if offer.via == WaitlistOffer.Via.MESSAGE]
    if not by_message:
        return
    for path in settings.OFFER_HANDLERS:
        cast(Handler, _named(path))(by_message, now=now)
