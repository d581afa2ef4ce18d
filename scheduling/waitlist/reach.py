"""Which places on the waitlist, and which offers, a patient's browser may see.

Their own when they are signed in; else those that a link in a message, or joining in this very
browser, let it reach. Refuses to know what may be done with them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q, QuerySet

from scheduling import links
from scheduling.models import WaitlistEntry, WaitlistOffer

OFFERS_KEY = "offers"
ENTRIES_KEY = "waitlist"
KEPT = timedelta(days=1)
ENTRY_RELATED = (
    "clinic__time_zone",
    "provider",
    "specialty",
    "appointment_type",
    "patient",
    "replaces__provider",
    "replaces__clinic__time_zone",
    "replaces__appointment_type",
    "booked__clinic__time_zone",
)
OFFER_RELATED = (
    "opening__provider",
    "opening__clinic__time_zone",
    "visit_type",
    "appointment__clinic__time_zone",
    "appointment__provider",
    "appointment__appointment_type",
    *(f"entry__{name}" for name in ENTRY_RELATED),
)
Visitor = AbstractBaseUser | AnonymousUser


def admit_offer(session: SessionBase, offer: WaitlistOffer) -> None:
    """Let this browser reach an offer whose link it has brought, as long as that link opens it."""
    links.remember(session, OFFERS_KEY, bytes(offer.token_digest).hex())


def admit_entry(session: SessionBase, entry: WaitlistEntry) -> None:
    """Let the browser in which somebody has just joined the waitlist reach their place on it."""
    links.remember(session, ENTRIES_KEY, str(entry.pk))


def entries_within_reach(
    session: SessionBase, user: Visitor, *, now: datetime
) -> QuerySet[WaitlistEntry]:
    """Return the places on the waitlist that a patient's browser may see.

    A link to a visit opens those that wait to replace it. Staff reach nothing here by being staff:
    these are the patients' pages.
    """
    opened = _opened_offers(session, now).values("entry")
    mine = Q(pk__in=session.get(ENTRIES_KEY, [])) | Q(pk__in=opened)
    if session.get(links.SESSION_KEY):
        by_link = links.within_reach(session, AnonymousUser(), now=now)
        mine |= Q(replaces__in=by_link.select_related(None).values("pk"))
    if user.is_authenticated and user.is_active:
        mine |= Q(patient__user=user)
    return WaitlistEntry.objects.filter(mine).select_related(*ENTRY_RELATED)


def offers_within_reach(
    session: SessionBase, user: Visitor, *, now: datetime
) -> QuerySet[WaitlistOffer]:
    """Return the offers that a patient's browser may see: those of the entries that it reaches."""
    entries = entries_within_reach(session, user, now=now).select_related(None)
    rows = WaitlistOffer.objects.filter(entry__in=entries.values("pk"))
    return rows.select_related(*OFFER_RELATED)


def _opened_offers(session: SessionBase, now: datetime) -> QuerySet[WaitlistOffer]:
    """Return the offers whose links were opened here, until a day after the visit they offer."""
    digests = [bytes.fromhex(one) for one in session.get(OFFERS_KEY, [])]
    return WaitlistOffer.objects.filter(token_digest__in=digests, visit_end__gt=now - KEPT)
