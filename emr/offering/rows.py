"""Which visits are on offer, with whom and where, and which of their times are free.

The same rules as the portal's. Reads no appointment and no patient; availability is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from emr.fhir.face.offers import Offer, Place, Time, Who
from emr.fhir.practitioner_out import Hours
from emr.fhir.slot import BUSY, FREE
from providers.models import Clinic, Provider, ProviderSchedule, VisitType
from scheduling.availability import Query, search
from scheduling.forms.portal_wish import online_types
from scheduling.intervals import Interval, merge, subtract
from scheduling.placing import Terms
from scheduling.windows import Window, working
from scheduling.wishes import Wish

DAY = timedelta(days=1)
FIRST_VISIT = "NEW_PATIENT"
MOST_FREE = 20_000


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer, and the rows that it stands for: `rows` are the hours in which it is seen."""

    offer: Offer
    provider: Provider
    clinic: Clinic
    kind: VisitType
    rows: tuple[ProviderSchedule, ...]


def on_offer(*, now: datetime, clinic: Clinic | None = None) -> list[Offered]:
    """Return every kind of visit that can be booked online, with whom and where, in order."""
    kinds = {kind.pk: kind for kind in online_types().order_by("code")}
    found: dict[tuple[UUID, UUID, UUID], list[ProviderSchedule]] = defaultdict(list)
    for row in _rows(now, clinic):
        for pk in [kind.pk for kind in row.visit_types.all()] or kinds:
            if pk in kinds and _sees(row.provider, kinds[pk]):
                found[row.provider_id, row.clinic_id, pk].append(row)
    return [_offered(kinds[pk], tuple(rows), now) for (_who, _where, pk), rows in found.items()]


def _offered(kind: VisitType, rows: tuple[ProviderSchedule, ...], now: datetime) -> Offered:
    provider, clinic = rows[0].provider, rows[0].clinic
    today = now.astimezone(clinic.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    offer = Offer(
        who=_who(provider),
        place=_place(clinic),
        type_code=kind.code,
        type_label=kind.label,
        is_telehealth=kind.is_telehealth,
        horizon=(today, today + kind.horizon_days * DAY),
        hours=tuple(Hours((row.day_of_week,), row.start_time, row.end_time) for row in rows),
        book_at=_address(clinic, "days", type=kind.code, provider=str(provider.pk)),
    )
    return Offered(offer, provider, clinic, kind, rows)


def times(
    offered: Offered, *, start: datetime, end: datetime, statuses: Collection[str], now: datetime
) -> list[Time]:
    """Return an offer's times that start in [start, end), in order; no `statuses` means all.

    A stretch of working hours in which nothing can begin or go on is one busy time.
    """
    found = times_of([offered], start=start, end=end, now=now)
    return [
        time for _offered, some in found for time in some if not statuses or time.status in statuses
    ]


def times_of(
    offers: Iterable[Offered], *, start: datetime, end: datetime, now: datetime
) -> Iterator[tuple[Offered, list[Time]]]:
    """Yield the times of each offer; those of one kind at one clinic are searched at once."""
    if start >= end:
        return
    groups: dict[tuple[UUID, UUID], list[Offered]] = defaultdict(list)
    for one in offers:
        groups[one.clinic.pk, one.kind.pk].append(one)
    for group in groups.values():
        free = _free(group, start, end, now)
        for one in group:
            yield one, _times(one, free[one.provider.pk], start, end)


def _free(
    group: list[Offered], start: datetime, end: datetime, now: datetime
) -> dict[UUID, list[Interval]]:
    """Return the free times of one kind of visit at one clinic, by provider."""
    first = group[0]
    zone = first.clinic.zone
    query = Query(
        visit_type=first.kind,
        first_day=start.astimezone(zone).date(),
        last_day=end.astimezone(zone).date(),
        clinics=(first.clinic,),
        provider=first.provider if len(group) == 1 else None,
    )
    free: dict[UUID, list[Interval]] = defaultdict(list)
    for slot in search(query, terms=Terms(), now=now, limit=MOST_FREE):
        if start <= slot.start < end:
            free[slot.provider.pk].append(Interval(slot.start, slot.end))
    return free


def _times(one: Offered, free: list[Interval], start: datetime, end: datetime) -> list[Time]:
    zone = one.clinic.zone
    days = start.astimezone(zone).date() - DAY, end.astimezone(zone).date() + DAY
    asked = Interval(start, end)
    hours = working([_window(row) for row in one.rows], *days).get(one.clinic.pk, [])
    within = [
        Interval(max(some.start, asked.start), min(some.end, asked.end))
        for some in hours
        if some.overlaps(asked)
    ]
    busy = subtract(within, merge(free))
    found = [Time(some.start, some.end, FREE) for some in free]
    return sorted([*found, *(Time(some.start, some.end, BUSY) for some in busy)])


def _rows(now: datetime, clinic: Clinic | None) -> Iterable[ProviderSchedule]:
    today = (now - DAY).date()  # it is still yesterday somewhere
    rows = ProviderSchedule.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today),
        is_active=True,
        clinic__is_active=True,
        provider__in=Provider.objects.bookable(),
    )
    if clinic is not None:
        rows = rows.filter(clinic=clinic)
    order = ("clinic__name", "clinic", "provider__name", "provider", "day_of_week", "start_time")
    found = rows.select_related("provider__specialty", "clinic").order_by(*order)
    return found.prefetch_related("visit_types")


def _sees(provider: Provider, kind: VisitType) -> bool:
    if kind.is_telehealth and not provider.offers_telehealth:
        return False
    return provider.accepts_new_patients or kind.code != FIRST_VISIT


def _window(row: ProviderSchedule) -> Window:
    return Window(
        clinic=row.clinic_id,
        zone=row.clinic.zone,
        weekday=row.day_of_week,
        start=row.start_time,
        end=row.end_time,
        step=row.slot_duration_minutes,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def _who(provider: Provider) -> Who:
    known = provider.specialty
    return Who(
        id=provider.pk,
        name=provider.name,
        npi=provider.npi_number or "",
        specialty=(known.nucc_code, known.name) if known else ("", ""),
        languages=tuple(provider.languages),
    )


def _place(clinic: Clinic) -> Place:
    return Place(
        id=clinic.pk,
        name=clinic.name,
        address=clinic.address,
        phone=clinic.phone,
        web=_address(clinic, "clinic"),
    )


def _address(clinic: Clinic, page: str, **choices: str) -> str:
    site: str = settings.SITE_URL
    return site + Wish(clinic=clinic).address(page, **choices)
