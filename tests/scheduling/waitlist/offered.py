"""Offers that stand, with the hold that keeps their time, as the engine leaves them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from providers.calendars import bump
from providers.fields import new_id
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.placing import Placement, place
from scheduling.waitlist.keeping import HANDOVER, keep
from scheduling.waitlist.tokens import digest_of
from tests.factories.waitlist import offer_of

WINDOW = timedelta(hours=2)


def offered(
    opening: Opening,
    *entries: WaitlistEntry,
    start: datetime | None = None,
    window: timedelta = WINDOW,
) -> list[WaitlistOffer]:
    """Offer an opening's first time, or `start`, to all of these at once, each their own visit."""
    begins = start or opening.span.lower
    assert begins is not None
    ends_at = timezone.now() + window
    with transaction.atomic():
        offers = [_offer(entry, opening, begins, ends_at) for entry in entries]
        placement = _placement(entries[0], opening, begins)
        keep(opening, placement, until=ends_at + HANDOVER, live=offers)
        bump([opening.provider_id])
    return offers


def _placement(entry: WaitlistEntry, opening: Opening, start: datetime) -> Placement:
    return place(
        provider=opening.provider,
        clinic=opening.clinic,
        visit_type=entry.appointment_type,
        start=start,
    )


def _offer(
    entry: WaitlistEntry, opening: Opening, start: datetime, ends_at: datetime
) -> WaitlistOffer:
    placement = _placement(entry, opening, start)
    pk = new_id()
    return offer_of(
        entry,
        opening,
        id=pk,
        visit_start=placement.start,
        visit_end=placement.end,
        expires_at=ends_at,
        token_digest=digest_of(pk),
    )
