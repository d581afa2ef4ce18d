"""Whether those who would take an opening can be told of it now, and if not, from when.

Knows quiet hours, the day's offers and offers that stand; how a patient is reached is asked of
whoever sends messages.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db.models import Count

from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.quiet import is_quiet
from scheduling.waitlist import contact
from scheduling.waitlist.contact import Reach
from scheduling.waitlist.pacing import Contact, Rule

DAY, A_MOMENT = timedelta(days=1), timedelta(seconds=30)
QUIET, CAP, ELSEWHERE, NO_WAY = "QUIET", "CAP", "OFFERED_ELSEWHERE", "NO_WAY"


@dataclass(frozen=True, slots=True)
class Telling:
    """When somebody may be told, `why_not` now, and when that reason ends, where it is known."""

    contact: Contact
    why_not: str = ""
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """To whom enough was said: when the offers end that entries have `elsewhere`, and which
    patients were told often enough (`capped`) until `tomorrow`.
    """

    elsewhere: Mapping[UUID, datetime]
    capped: Container[UUID]
    tomorrow: datetime

    def is_free(self, entry: WaitlistEntry) -> bool:
        """Say whether nothing of this keeps a message from them."""
        return entry.pk not in self.elsewhere and entry.patient_id not in self.capped


def spoken_to(
    opening: Opening, entries: Sequence[WaitlistEntry], *, rule: Rule, now: datetime
) -> Spoken:
    """Read who of these was told enough for now, in two statements for any number."""
    zone = opening.clinic.zone
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, zone)
    if not entries:
        return Spoken({}, (), midnight + DAY)
    told = WaitlistOffer.objects.filter(
        entry__patient__in={entry.patient_id for entry in entries},
        via=WaitlistOffer.Via.MESSAGE,
        made_at__gte=midnight,
    )
    often = told.values("entry__patient").annotate(times=Count("pk")).order_by()
    capped = often.filter(times__gte=rule.most_a_day).values_list("entry__patient", flat=True)
    return Spoken(_live_elsewhere(opening, entries), set(capped), midnight + DAY)


def tellings(
    entries: Sequence[WaitlistEntry], spoken: Spoken, *, now: datetime
) -> dict[UUID, Telling]:
    """Return, by their id, how each of these entries can be told. Their patients are loaded."""
    patients = {entry.patient_id: entry.patient for entry in entries}
    reached = contact.reach(list(patients.values()), now=now)

    def telling(entry: WaitlistEntry) -> Telling:
        reach = reached[entry.patient_id]
        if reach.why not in ("", CAP):
            return Telling(reach.contact, NO_WAY)
        if reach.why or entry.patient_id in spoken.capped:
            return Telling(reach.contact, CAP, spoken.tomorrow)
        if entry.pk in spoken.elsewhere:
            # One that is over already is about to be closed.
            ends = max(spoken.elsewhere[entry.pk], now + A_MOMENT)
            return Telling(reach.contact, ELSEWHERE, ends)
        return Telling(reach.contact, _quiet(reach, now))

    return {entry.pk: telling(entry) for entry in entries}


def _quiet(reach: Reach, now: datetime) -> str:
    zone, quiet = reach.contact.zone, reach.contact.quiet
    return QUIET if is_quiet(now, zone=zone, quiet=quiet) else ""


def _live_elsewhere(opening: Opening, entries: Sequence[WaitlistEntry]) -> dict[UUID, datetime]:
    """Return when the offer of another opening ends that an entry has, if it has one."""
    live = WaitlistOffer.objects.filter(
        entry__in=[entry.pk for entry in entries], status=WaitlistOffer.Status.OFFERED
    )
    return dict(live.exclude(opening=opening).values_list("entry", "expires_at"))
