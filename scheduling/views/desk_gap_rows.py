"""A gap as the desk's page shows it: what happens with it, who is asked, and who could be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from scheduling.gap_words import cause_words, moment, offer_tag, span_words, standing
from scheduling.models import Mode, Opening, WaitlistEntry, WaitlistOffer
from scheduling.presenters import Tag, clock, long_date, minutes_in_words
from scheduling.waitlist.candidates import Match, matches
from scheduling.waitlist.listing import LIVE, Gap, offers_of
from scheduling.waitlist.policies import policy_of
from scheduling.waitlist.words import in_words

OPEN = Opening.State.OPEN
GAP_TINTS = {OPEN: "scheduled", Opening.State.FILLED: "completed"}
ELSEWHERE = "OFFERED_ELSEWHERE"
WHY_NOT = {
    "QUIET": gettext_lazy("Quiet hours: no message now"),
    "CAP": gettext_lazy("Was offered enough for today"),
    "NO_WAY": gettext_lazy("No way to send a message"),
    ELSEWHERE: gettext_lazy("Is just being offered another time"),
    "NOTICE": gettext_lazy("Wanted to know earlier than this"),
}


def gap_row(gap: Gap, *, now: datetime) -> dict[str, Any]:
    """Return one line of the list of gaps."""
    opening, zone = gap.opening, gap.opening.clinic.zone
    words = standing(opening, gap.live, zone, now=now)
    start = opening.span.lower.astimezone(zone)
    minutes = int((opening.span.upper - opening.span.lower).total_seconds() // 60)
    return {
        "id": f"gap-{opening.pk}",
        "day": long_date(start),
        "time": clock(start),
        "length": minutes_in_words(minutes),
        "href": reverse("desk:gap", args=[opening.pk]),
        "provider": opening.provider.name,
        "cause": cause_words(opening),
        "standing": words,
        "is_offered": bool(gap.live),
        "tag": Tag(GAP_TINTS.get(Opening.State(opening.state), "no-show"), words),
        "who": gap.claimed.entry.patient.full_name if gap.claimed else "",
        "ended": moment(opening.ended_at, zone, now=now) if opening.ended_at else "",
    }


def gap_context(opening: Opening, *, in_panel: bool, now: datetime) -> dict[str, Any]:
    """Return what a gap's page shows; `seen` stands for all of it but the seconds left."""
    zone = opening.clinic.zone
    offers = offers_of(opening)
    live = [offer for offer in offers if offer.status == LIVE and offer.expires_at > now]
    is_open = opening.state == OPEN
    found = matches(opening, now=now, all_=True) if is_open else []
    waits = opening.not_before is not None and opening.not_before > now
    in_turn = bool(live) and not _is_overlapping(opening)
    asked = {offer.entry_id for offer in offers}
    facts = _facts(opening, live, zone, now=now)
    shown: dict[str, Any] = {
        "opening": opening,
        "is_open": is_open,
        "when": span_words(opening, zone),
        "facts": facts,
        "live": [_live_row(offer, zone, now=now) for offer in live],
        "in_turn": in_turn,
        "can_offer": is_open and not waits and not in_turn,
        "matches": [_match_row(match, zone) for match in found if match.entry.pk not in asked],
        "past": [_past_row(offer, zone, now=now) for offer in offers if offer not in live],
    }
    seen = _digest(opening, offers, found, facts)
    query = urlencode({"seen": seen, **({"panel": "on"} if in_panel else {})})
    address = reverse("desk:gap_now", args=[opening.pk])
    return {**shown, "seen": seen, "poll_url": f"{address}?{query}", "in_panel": in_panel}


def _is_overlapping(opening: Opening) -> bool:
    return str(opening.policy or policy_of(opening).pace) == Mode.OVERLAPPING


def _facts(
    opening: Opening, live: Sequence[WaitlistOffer], zone: ZoneInfo, *, now: datetime
) -> dict[str, str]:
    """Return the state of it, why it is free, and by which rule it is offered."""
    return {
        "now": standing(opening, live, zone, now=now),
        "tint": GAP_TINTS.get(Opening.State(opening.state), "no-show"),
        "cause": cause_words(opening),
        "pace": _pace_words(opening),
    }


def _pace_words(opening: Opening) -> str:
    mode = opening.policy or str(policy_of(opening).pace)
    return str(Mode(mode).label)


def _live_row(offer: WaitlistOffer, zone: ZoneInfo, *, now: datetime) -> dict[str, Any]:
    return {
        **_whom(offer.entry),
        "pk": offer.pk,
        "what": _visit_words(offer.visit_start, offer.visit_end, offer.visit_type.label, zone),
        "via": offer.get_via_display(),
        "until": moment(offer.expires_at, zone, now=now),
        "until_iso": offer.expires_at.astimezone(zone).isoformat(),
        "seconds": max(0, int((offer.expires_at - now).total_seconds())),
        "reasons": ", ".join(in_words(offer.reasons)),
    }


def _match_row(match: Match, zone: ZoneInfo) -> dict[str, Any]:
    place = match.placement
    why = match.why_not
    return {
        **_whom(match.entry),
        "rank": match.rank,
        "what": _visit_words(place.start, place.end, place.visit_type.label, zone),
        "reasons": ", ".join(in_words(match.reasons)),
        "is_urgent": match.entry.urgency == WaitlistEntry.Urgency.URGENT,
        "can_call": why != ELSEWHERE,
        "why_not": str(WHY_NOT.get(why, _("Cannot be told now"))) if why else "",
    }


def _past_row(offer: WaitlistOffer, zone: ZoneInfo, *, now: datetime) -> dict[str, Any]:
    return {
        **_whom(offer.entry),
        "tag": offer_tag(offer),
        "via": offer.get_via_display(),
        "made": moment(offer.made_at, zone, now=now),
        "answered": moment(offer.answered_at, zone, now=now) if offer.answered_at else "",
        "visit": offer.appointment_id,
    }


def _whom(entry: Any) -> dict[str, Any]:
    return {
        "entry": entry.pk,
        "name": entry.patient.full_name,
        "given": entry.patient.given_name,
        "phone": entry.patient.phone,
    }


def _visit_words(start: datetime, end: datetime, label: str, zone: ZoneInfo) -> str:
    """Return "3:30 pm to 4:00 pm, Follow-up, 30 min": the day stands above it."""
    minutes = minutes_in_words(int((end - start).total_seconds() // 60))
    return _("%(start)s to %(end)s, %(visit)s, %(length)s") % {
        "start": clock(start.astimezone(zone)),
        "end": clock(end.astimezone(zone)),
        "visit": label,
        "length": minutes,
    }


def _digest(
    opening: Opening,
    offers: Sequence[WaitlistOffer],
    found: Sequence[Match],
    facts: dict[str, str],
) -> str:
    """Return a keyed digest of what the page shows, the seconds that are left apart."""
    told: list[tuple[UUID | str | datetime, ...]] = [(opening.state,)]
    told += [tuple(facts.values())]
    told += [(offer.pk, offer.status, offer.expires_at) for offer in offers]
    told += [(match.entry.pk, match.why_not, match.placement.start) for match in found]
    return salted_hmac("desk.gap", repr(told)).hexdigest()[:16]
