"""Freed time that is offered to somebody, told of as the engine has it told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from patients.models import Patient
from providers.models import Provider
from reminders.models import Notice
from reminders.offers import on_offers
from scheduling.models import WaitlistOffer
from scheduling.waitlist.tokens import digest_of
from tests.factories.waitlist import entry_of, offer_of, opening_of


def offered(
    patient: Patient, provider: Provider, start: datetime, *, now: datetime, **values: Any
) -> WaitlistOffer:
    """Offer half an hour to a patient and plan to tell them; keeps no time.

    `replaces` and `visit_type` are the entry's, `policy` is the opening's, the rest the offer's.
    """
    wish = {name: values.pop(name) for name in ("replaces", "visit_type") if name in values}
    opening = opening_of(provider, start, policy=values.pop("policy", "SEQUENTIAL"))
    entry = entry_of(patient, provider=provider, **wish)
    offer = offer_of(entry, opening, made_at=now, **values)
    offer.token_digest = digest_of(offer.pk)
    offer.save(update_fields=["token_digest"])
    on_offers([offer], now=now)
    return offer


def told_of(offer: WaitlistOffer) -> dict[str, str]:
    """Return how each notice of an offer stands, by channel: {"SMS": "SKIPPED CAP"}."""
    rows = Notice.objects.filter(offer=offer, kind="OFFER")
    return {row.channel: f"{row.standing} {row.why}".strip() for row in rows}


def fresh(offer: WaitlistOffer) -> WaitlistOffer:
    """Return an offer as it stands in the database, with its entry and its opening."""
    return WaitlistOffer.objects.select_related("entry", "opening").get(pk=offer.pk)
