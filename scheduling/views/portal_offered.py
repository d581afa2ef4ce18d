"""An offer of freed time in the patient's words: what is new, what they have, until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext as _

from providers.models import Clinic, VisitType
from scheduling.models import Appointment, Mode, WaitlistOffer
from scheduling.presenters import clock, long_date
from scheduling.standing import standing_of
from scheduling.views.portal_offers import unbroken
from scheduling.visit_words import visit_name, zone_words

DAY = timedelta(days=1)
STILL_TO_COME = {"open", "confirmed"}


def live_offer(offer: WaitlistOffer) -> dict[str, Any]:
    """Return an offer that stands as a line of a list, which leads to its page."""
    return {
        "href": reverse("portal:offered", args=[offer.pk]),
        "when": unbroken(offer.visit_start.astimezone(_zone(offer))),
        "with": offer.opening.provider.name,
    }


def _zone(offer: WaitlistOffer) -> ZoneInfo:
    return offer.opening.clinic.zone


def deadline(offer: WaitlistOffer, now: datetime) -> str:
    """Return until when an offer can be taken: "3:40 pm today", "9:00 am on Tuesday, June 9"."""
    local, today = offer.expires_at.astimezone(_zone(offer)), now.astimezone(_zone(offer)).date()
    if local.date() == today:
        return _("%(time)s today") % {"time": clock(local)}
    if local.date() == today + DAY:
        return _("%(time)s tomorrow") % {"time": clock(local)}
    return _("%(time)s on %(day)s") % {"time": clock(local), "day": long_date(local)}


def replaced(offer: WaitlistOffer, now: datetime) -> Appointment | None:
    """Return the visit that would move to the offered time; None where one more is booked."""
    visit = offer.entry.replaces
    if visit is None or visit.scheduled_start <= now:
        return None
    return visit if standing_of(visit, now=now).page in STILL_TO_COME else None


def side_by_side(offer: WaitlistOffer, now: datetime) -> dict[str, Any]:
    """Return the offered time and the visit that it would replace, for the offer's page."""
    opening, old = offer.opening, replaced(offer, now)
    new = _side(
        offer.visit_start.astimezone(_zone(offer)),
        provider=opening.provider.name,
        kind=offer.visit_type,
        clinic=opening.clinic,
    )
    if old is None:
        return {"new": new, "old": None, "zone": zone_words(_zone(offer))}
    kept = _side(
        old.local_start,
        provider=old.provider.name,
        kind=old.appointment_type,
        clinic=old.clinic,
    )
    return {
        "new": new,
        "old": kept,
        "zone": zone_words(_zone(offer)),
        "sooner": _sooner(offer, old),
    }


def _side(
    local: datetime, *, provider: str, kind: VisitType, clinic: Clinic
) -> dict[str, str | bool]:
    return {
        "day": long_date(local),
        "time": clock(local),
        "provider": provider,
        "kind": visit_name(kind),
        "place": _("By video") if kind.is_telehealth else clinic.name,
    }


def _sooner(offer: WaitlistOffer, old: Appointment) -> int:
    """Return by how many days of the clinic's calendar the visit would come sooner."""
    new = offer.visit_start.astimezone(_zone(offer)).date()
    return (old.local_start.date() - new).days


def countdown(offer: WaitlistOffer, now: datetime) -> dict[str, Any]:
    """Return the deadline in words, for machines, and in seconds from now."""
    local = offer.expires_at.astimezone(_zone(offer))
    return {
        "until": deadline(offer, now),
        "until_iso": local.isoformat(timespec="minutes"),
        "seconds": max(0, int((offer.expires_at - now).total_seconds())),
    }


def others_too(offer: WaitlistOffer) -> bool:
    """Whether the same time may have been offered to others as well."""
    is_asked = offer.via == WaitlistOffer.Via.MESSAGE
    return is_asked and offer.opening.policy == Mode.OVERLAPPING
