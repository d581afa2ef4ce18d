"""Who of those that wait would take some of an opening's time, and where each visit would lie.

However many wait, the same few statements are asked, and no patient's record is read. Decides
nothing about whose turn it is, and who can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from providers.models import VisitType
from scheduling.intervals import Interval
from scheduling.models import Appointment, Opening, WaitlistEntry
from scheduling.placing import Placement
from scheduling.transitions import Status
from scheduling.waitlist.fitting import Diary
from scheduling.waitlist.pacing import Contact
from scheduling.waitlist.ranking import Reason
from scheduling.waitlist.rests import span_of
from scheduling.waitlist.wanting import takes
from scheduling.waitlist.wishing import wish_of

DAY, MINUTE, NOTHING = timedelta(days=1), timedelta(minutes=1), timedelta(0)
WAITING = WaitlistEntry.Status.WAITING
MOVABLE = [Status.SCHEDULED.value, Status.CONFIRMED.value]
# Fetched beside the entries, not joined to them: hundreds wait for the same few.
RELATED = ("appointment_type", "provider", "specialty", "replaces")


@dataclass(slots=True, kw_only=True)
class Match:
    """Somebody who would take some of an opening's time, and where.

    `rank` counts from 1 among all who were not offered it yet, and is 0 for whoever was. `why_not`
    is empty for whom a message may go to now. QUIET: after their quiet hours. CAP: they were told
    enough today. OFFERED_ELSEWHERE: they are thinking about another time. NO_WAY: only a person
    can tell them. NOTICE: it is sooner than they wished. Else the status of the offer of this
    opening that they had. `not_before` is when the reason ends, where that is known.
    """

    entry: WaitlistEntry
    placement: Placement
    rank: int = 0
    reasons: list[Reason] = field(default_factory=list)
    contact: Contact | None = None
    why_not: str = ""
    not_before: datetime | None = None

    @property
    def last_moment(self) -> datetime:
        """When an offer must have ended: by the visit type's lead and the patient's own notice."""
        lead = self.placement.visit_type.waitlist_minimum_lead_minutes
        return self.placement.start - max(lead, self.entry.minimum_notice_minutes) * MINUTE


def waiting_for(opening: Opening) -> Iterable[WaitlistEntry]:
    """Return who waits for this provider, or for anybody like them, at the opening's clinic."""
    provider, zone, span = opening.provider, opening.clinic.zone, span_of(opening)
    first, last = (edge.astimezone(zone).date() for edge in (span.start, span.end))
    anybody = Q(provider=None, specialty=provider.specialty_id, specialty__isnull=False)
    found = WaitlistEntry.objects.filter(
        Q(provider=provider) | anybody,
        Q(latest_date=None) | Q(latest_date__gte=first - DAY),
        clinic=opening.clinic_id,
        status=WAITING,
        earliest_desired_date__lte=last + DAY,
        patient__merged_into=None,
    )
    if not provider.accepts_new_patients:
        found = found.filter(is_existing_patient=True)
    return found.prefetch_related(*RELATED).order_by("created_at", "pk")


def who_fit(opening: Opening, diary: Diary, *, now: datetime, all_: bool = False) -> list[Match]:
    """Return whom this opening fits, in no order; `all_` adds those who wish more notice."""
    entries = [entry for entry in waiting_for(opening) if _can_be_replaced(entry, now)]
    kinds = {entry.appointment_type for entry in entries}
    by_video: tuple[VisitType, ...] = ()
    if opening.provider.offers_telehealth and any(each.telehealth_acceptable for each in entries):
        by_video = tuple(VisitType.objects.filter(is_telehealth=True, bookable_online=True))
    places = [place for kind in {*kinds, *by_video} for place in diary.fits(kind)]
    busy = _own_visits(entries, places)
    found = []
    for entry in entries:
        match = _fit(entry, diary, by_video, busy.get(entry.pk, ()), now=now)
        if match is None and all_:
            match = _fit(entry, diary, by_video, busy.get(entry.pk, ()), now=now, notice=NOTHING)
            if match is not None:
                match.why_not = "NOTICE"
        found += [match] if match else []
    return found


def _can_be_replaced(entry: WaitlistEntry, now: datetime) -> bool:
    """Say whether the visit that is to come sooner is still to come, if there is one."""
    visit = entry.replaces
    return visit is None or (visit.status in MOVABLE and visit.scheduled_start > now)


def _fit(
    entry: WaitlistEntry,
    diary: Diary,
    by_video: Sequence[VisitType],
    busy: Sequence[Interval],
    *,
    now: datetime,
    notice: timedelta | None = None,
) -> Match | None:
    """Return the first place that an entry takes: its own visit, or else one by video."""
    wants = wish_of(entry).wants
    if notice is not None:
        wants = replace(wants, notice=notice)
    zone = diary.opening.clinic.zone
    kinds = [entry.appointment_type, *(by_video if entry.telehealth_acceptable else ())]
    for kind in kinds:
        for place in diary.fits(kind):
            visit = Interval(place.start, place.end)
            is_taken = any(map(visit.overlaps, busy))
            wanted = takes(wants, start=place.start, end=place.end, zone=zone, now=now)
            if wanted and not is_taken:
                return Match(entry=entry, placement=place)
    return None


def _own_visits(
    entries: Sequence[WaitlistEntry], places: Sequence[Placement]
) -> dict[UUID, list[Interval]]:
    """Return the visits that these patients have then anyway, but for the one to be replaced."""
    if not places:
        return {}
    rows = Appointment.objects.live().filter(
        patient__in={entry.patient_id for entry in entries},
        scheduled_start__lt=max(place.end for place in places),
        scheduled_end__gt=min(place.start for place in places),
    )
    found: dict[UUID, list[tuple[UUID, Interval]]] = {}
    for pk, patient, start, end in rows.values_list(
        "pk", "patient", "scheduled_start", "scheduled_end"
    ):
        found.setdefault(patient, []).append((pk, Interval(start, end)))
    return {
        entry.pk: [
            visit for pk, visit in found.get(entry.patient_id, ()) if pk != entry.replaces_id
        ]
        for entry in entries
    }
