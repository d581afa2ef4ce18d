"""What the desk reads of freed time and of who waits for some: causes, states and answers in words.

Reads nothing; who may be offered what is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from scheduling.desk_words import when_words
from scheduling.errors import SchedulingError
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.presenters import Tag, clock, long_date
from scheduling.refusal_words import in_words
from scheduling.waitlist.errors import OfferEnded, TooMany

SOON = timedelta(minutes=1)
Offer, Entry = WaitlistOffer.Status, WaitlistEntry.Status
OFFER_TINTS = {
    Offer.OFFERED: "held",
    Offer.CLAIMED: "completed",
    Offer.EXPIRED: "no-show",
    Offer.DECLINED: "cancelled",
    Offer.GONE: "cancelled",
}
ENTRY_TINTS = {
    Entry.WAITING: "scheduled",
    Entry.PAUSED: "late",
    Entry.BOOKED: "completed",
    Entry.LEFT: "cancelled",
    Entry.EXPIRED: "no-show",
}
CAUSES = {
    Opening.Cause.CANCEL: gettext_lazy("A visit was cancelled"),
    Opening.Cause.RELEASE: gettext_lazy("Nobody confirmed the visit"),
    Opening.Cause.MOVE: gettext_lazy("A visit was moved"),
    Opening.Cause.LEAVE: gettext_lazy("Time off was taken back"),
    Opening.Cause.HOURS: gettext_lazy("There are more hours"),
    Opening.Cause.REST: gettext_lazy("Left over beside an offer"),
    Opening.Cause.DESK: gettext_lazy("Chosen by the desk"),
}


def cause_words(opening: Opening) -> str:
    """Return why the time came free: "A visit was cancelled"."""
    return str(CAUSES[Opening.Cause(opening.cause)])


def span_words(opening: Opening, zone: ZoneInfo) -> str:
    """Return when it is, buffers included: "Tuesday, June 9, 3:30 pm to 4:10 pm"."""
    start, end = opening.span.lower.astimezone(zone), opening.span.upper.astimezone(zone)
    return _("%(day)s, %(start)s to %(end)s") % {
        "day": long_date(start),
        "start": clock(start),
        "end": clock(end),
    }


def moment(at: datetime, zone: ZoneInfo, *, now: datetime) -> str:
    """Return a time of today as "3:40 pm", of another day with the day."""
    local = at.astimezone(zone)
    is_today = local.date() == now.astimezone(zone).date()
    return clock(local) if is_today else when_words(at, zone)


def standing(
    opening: Opening, live: Sequence[WaitlistOffer], zone: ZoneInfo, *, now: datetime
) -> str:
    """Return what happens with it at this moment, or how it ended. `live` are its live offers."""
    if opening.state != Opening.State.OPEN:
        return opening.get_ended_display()
    unended = [offer for offer in live if offer.expires_at > now]
    if unended:
        return _offered(unended, zone, now=now)
    if opening.not_before is not None and opening.not_before > now:
        until = moment(opening.not_before, zone, now=now)
        return _("Can still be undone, until %(time)s") % {"time": until}
    if opening.next_at > now + SOON:
        return _("Waits until %(time)s") % {"time": moment(opening.next_at, zone, now=now)}
    return _("Is looked at in a moment")


def _offered(live: Sequence[WaitlistOffer], zone: ZoneInfo, *, now: datetime) -> str:
    first = min(live, key=lambda offer: offer.expires_at)
    until = moment(first.expires_at, zone, now=now)
    if len(live) == 1:
        name = first.entry.patient.full_name
        return _("Offered to %(name)s until %(time)s") % {"name": name, "time": until}
    return ngettext(
        "Offered to %(count)d patient until %(time)s",
        "Offered to %(count)d patients, to the first until %(time)s",
        len(live),
    ) % {"count": len(live), "time": until}


def offer_tag(offer: WaitlistOffer) -> Tag:
    """Return how an offer stands, or how it ended."""
    return Tag(OFFER_TINTS[Offer(offer.status)], offer.get_status_display())


def entry_tag(entry: WaitlistEntry) -> Tag:
    return Tag(ENTRY_TINTS[Entry(entry.status)], entry.get_status_display())


def refused(refusal: SchedulingError) -> str:
    """Return what the desk is told where an act was refused; most words suit everybody."""
    if isinstance(refusal, OfferEnded) and refusal.status in Offer.values:
        how = str(Offer(refusal.status).label)
        return _("This offer has ended: %(how)s.") % {"how": how.lower()}
    if isinstance(refusal, TooMany):
        return _("This patient is on the waitlist ten times. Take them off one of these first.")
    return in_words(refusal)
