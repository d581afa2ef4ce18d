"""What the desk's lists of gaps and of those who wait are read from, each in few statements.

Decides no order of offering: gaps come by their time, people by how long they wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Prefetch, QuerySet

from providers.models import Clinic
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer

LIVE = WaitlistOffer.Status.OFFERED
LONGEST_LIST = 200


@dataclass(frozen=True, slots=True)
class Gap:
    """Freed time with its live offers, and the one that took it where one did."""

    opening: Opening
    live: list[WaitlistOffer] = field(default_factory=list)
    claimed: WaitlistOffer | None = None


def openings_of(clinics: Iterable[Clinic]) -> QuerySet[Opening]:
    """Return freed time at these clinics, with what its words need."""
    return Opening.objects.filter(clinic__in=list(clinics)).select_related(
        "provider__specialty", "clinic__time_zone", "visit_type"
    )


def open_gaps(clinic: Clinic, *, now: datetime) -> list[Gap]:
    """Return what is open and has not passed, the next first."""
    rows = openings_of([clinic]).filter(state=Opening.State.OPEN, span__endswith__gt=now)
    return _with_offers(rows.order_by("span", "pk")[:LONGEST_LIST])


def ended_gaps(clinic: Clinic, *, since: datetime) -> list[Gap]:
    """Return what ended from an instant on, the latest first."""
    rows = openings_of([clinic]).filter(ended_at__gte=since)
    return _with_offers(rows.order_by("-ended_at", "pk")[:LONGEST_LIST])


def _with_offers(openings: QuerySet[Opening]) -> list[Gap]:
    gaps = {opening.pk: Gap(opening) for opening in openings}
    found = _offers().filter(opening__in=gaps, status__in=[LIVE, WaitlistOffer.Status.CLAIMED])
    taken: dict[UUID, WaitlistOffer] = {}
    for offer in found:
        if offer.status == LIVE:
            gaps[offer.opening_id].live.append(offer)
        else:
            taken[offer.opening_id] = offer
    return [Gap(gap.opening, gap.live, taken.get(pk)) for pk, gap in gaps.items()]


def offers_of(opening: Opening) -> list[WaitlistOffer]:
    """Return all that was offered of one gap, in the order in which it was."""
    return list(_offers().filter(opening=opening))


def _offers() -> QuerySet[WaitlistOffer]:
    return WaitlistOffer.objects.select_related(
        "entry__patient", "entry__clinic__time_zone", "visit_type", "by", "appointment"
    ).order_by("made_at", "pk")


def entries_seen_by(
    user: User | AnonymousUser, clinics: Sequence[Clinic]
) -> QuerySet[WaitlistEntry]:
    """Return who waits at these clinics, as far as this user may know, the longest first.

    `live_offers` of each are the offers that stand, at most one.
    """
    live = WaitlistOffer.objects.filter(status=LIVE).select_related("opening")
    return (
        WaitlistEntry.objects.visible_to(user)
        .filter(clinic__in=clinics)
        .select_related(
            "patient", "clinic__time_zone", "provider", "specialty", "appointment_type", "replaces"
        )
        .prefetch_related(Prefetch("offers", queryset=live, to_attr="live_offers"))
        .order_by("created_at", "pk")
    )


def history_of(entry: WaitlistEntry) -> list[WaitlistOffer]:
    """Return what one entry was offered, the latest first."""
    offers = entry.offers.select_related(
        "opening__provider", "opening__clinic__time_zone", "visit_type", "by"
    )
    return list(offers.order_by("-made_at", "pk"))
