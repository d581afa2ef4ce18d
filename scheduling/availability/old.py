"""Which times are free, across providers: the one question behind every page that offers a time.

Computed from the rows as they are, in a constant number of queries however many providers match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Value

from providers.models import (
    Clinic,
    ClinicClosure,
    Provider,
    ProviderSchedule,
    TimeOff,
    VisitType,
)
from scheduling.availability.query import DayOpenings, FreeSlot, Query
from scheduling.intervals import Interval
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms
from scheduling.slots import Visit, Window, free_slots

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
CHUNK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Calendar:
    """One provider's hours and what takes up time, as read for a span of days."""

    provider: Provider
    windows: list[Window]
    taken: list[Interval]
    away: list[Interval]


def search(
    query: Query,
    *,
    terms: Terms,
    now: datetime,
    limit: int = 20,
    after: datetime | None = None,
    ignore: SlotHold | Appointment | None = None,
) -> list[FreeSlot]:
    """Return the first `limit` free times, ordered by time and then by the provider's name.

    `after` continues a page: only times later than that instant. `ignore` is the caller's own hold,
    or the visit that is to be moved: it takes no time, and its own place is not offered.
    """
    found: list[FreeSlot] = []
    for slot in _walk(query, terms=terms, now=now, ignore=ignore):
        if after is None or slot.start > after:
            found.append(slot)
            if len(found) == limit:
                break
    return found


def days_with_openings(
    query: Query,
    *,
    terms: Terms,
    now: datetime,
    days: int = 10,
    ignore: SlotHold | Appointment | None = None,
) -> list[DayOpenings]:
    """Return the next `days` days that have a free time, with how many different times each has."""
    found: list[DayOpenings] = []
    stretch = max(CHUNK, 2 * days * DAY)
    slots = _walk(query, terms=terms, now=now, ignore=ignore, stretch=stretch)
    for day, group in groupby(slots, key=lambda slot: slot.local_start.date()):
        offered = list(group)
        count = len({slot.start for slot in offered})
        found.append(DayOpenings(day=day, count=count, first=offered[0]))
        if len(found) == days:
            break
    return found


def nearest(
    query: Query, *, to: datetime, terms: Terms, now: datetime, limit: int = 3
) -> list[FreeSlot]:
    """Return the free times nearest to a wanted start: the wanted provider's, then others'.

    Looks from a day before to two weeks after. Others are those of the provider's specialty.
    """
    day = to.astimezone(query.clinics[0].zone).date()
    near = replace(query, first_day=day - DAY, last_day=day + 14 * DAY)
    if query.provider is not None:
        near = replace(near, provider=None, specialty=query.provider.specialty)
    wanted = query.provider.pk if query.provider else None

    def distance(slot: FreeSlot) -> tuple[bool, timedelta, str]:
        return slot.provider.pk != wanted, abs(slot.start - to), slot.provider.name

    slots = sorted(_walk(near, terms=terms, now=now), key=distance)
    own = [slot for slot in slots if slot.provider.pk == wanted][:limit]
    others = [slot for slot in slots if slot.provider.pk != wanted]
    first_of_others = _one_each(others)[: max(0, limit - len(own))]
    return own[:limit] + first_of_others


def _one_each(slots: Iterable[FreeSlot]) -> list[FreeSlot]:
    seen: set[UUID] = set()
    return [s for s in slots if s.provider.pk not in seen and not seen.add(s.provider.pk)]  # type: ignore[func-returns-value]


def is_free(query: Query, *, start: datetime, terms: Terms, now: datetime) -> bool:
    """Say whether one start is offered by the query's provider at this moment."""
    day = start.astimezone(query.clinics[0].zone).date()
    one_day = replace(query, first_day=day, last_day=day)
    return any(slot.start == start for slot in _walk(one_day, terms=terms, now=now))


def _walk(
    query: Query,
    *,
    terms: Terms,
    now: datetime,
    ignore: SlotHold | Appointment | None = None,
    stretch: timedelta = CHUNK,
) -> Iterator[FreeSlot]:
    """Yield every free time in order, reading the days in stretches that double in length."""
    providers = list(matching_providers(query))
    if not providers:
        return
    zones = [clinic.zone for clinic in query.clinics]
    first = max(query.first_day, min(now.astimezone(zone).date() for zone in zones))
    last = query.last_day
    if terms.notice_and_horizon:
        horizon = timedelta(days=query.visit_type.horizon_days)
        last = min(last, max(now.astimezone(zone).date() for zone in zones) + horizon)
    while first <= last:
        until = min(first + stretch - DAY, last)
        yield from _free_between(query, providers, first, until, terms, now, ignore)
        first, stretch = until + DAY, stretch * 2


def matching_providers(query: Query) -> Iterable[Provider]:
    """Return the bookable providers that the query's filters leave."""
    found = Provider.objects.bookable().filter(
        Q(clinic__in=query.clinics) | Q(schedules__clinic__in=query.clinics)
    )
    if query.provider is not None:
        found = found.filter(pk=query.provider.pk)
    if query.specialty is not None:
        found = found.filter(specialty=query.specialty)
    if query.insurance_plan is not None:
        found = found.filter(insurance_plans=query.insurance_plan)
    if query.language:
        found = found.filter(languages__contains=[query.language])
    if query.telehealth or query.visit_type.is_telehealth:
        found = found.filter(offers_telehealth=True)
    if query.new_patient:
        found = found.filter(accepts_new_patients=True)
    return found.select_related("specialty").distinct().order_by("name")


def _free_between(
    query: Query,
    providers: list[Provider],
    first: date,
    last: date,
    terms: Terms,
    now: datetime,
    ignore: SlotHold | Appointment | None,
) -> Iterator[FreeSlot]:
    calendars = read_calendars(providers, query.clinics, first=first, last=last, ignore=ignore)
    clinics = {clinic.pk: clinic for clinic in query.clinics}
    visit = _visit(query.visit_type, terms)
    found = [
        FreeSlot(slot.start, slot.end, calendar.provider, clinics[slot.clinic])  # type: ignore[index]
        for calendar in calendars
        for slot in free_slots(
            windows=calendar.windows,
            visit=visit,
            first_day=first,
            last_day=last,
            blocked=calendar.taken,
            away=calendar.away,
            now=now,
        )
    ]
    found.sort(key=lambda slot: (slot.start, slot.provider.name))
    yield from (slot for slot in found if _wanted(query, slot) and not _stands(ignore, slot))


def _stands(visit: SlotHold | Appointment | None, slot: FreeSlot) -> bool:
    """Say whether a slot is where the visit to be moved stands already."""
    return (
        isinstance(visit, Appointment)
        and visit.scheduled_start == slot.start
        and visit.provider_id == slot.provider.pk
    )


def _visit(kind: VisitType, terms: Terms) -> Visit:
    bound = terms.notice_and_horizon
    return Visit(
        type=kind.pk,
        minutes=kind.minutes,
        buffer_before=kind.buffer_before_minutes,
        buffer_after=kind.buffer_after_minutes,
        notice=kind.minimum_notice_minutes * MINUTE if bound else timedelta(0),
        horizon_days=kind.horizon_days if bound else None,
    )


def _wanted(query: Query, slot: FreeSlot) -> bool:
    local = slot.local_start
    clock = local.time()
    return (
        (not query.weekdays or local.weekday() in query.weekdays)
        and (query.not_before is None or clock >= query.not_before)
        and (query.not_after is None or clock <= query.not_after)
    )


def read_calendars(
    providers: list[Provider],
    clinics: Iterable[Clinic],
    *,
    first: date,
    last: date,
    ignore: SlotHold | Appointment | None = None,
) -> list[Calendar]:
    """Read these providers' hours, absences, visits and live holds, in three queries.

    `first` and `last` are local dates; rows are read a day wider on both sides, for any zone.
    """
    clinics = list(clinics)
    begin = datetime.combine(first - DAY, time.min, UTC)
    end = datetime.combine(last + 2 * DAY, time.max, UTC)
    ids = [provider.pk for provider in providers]
    windows = _windows(ids, clinics, first, last)
    taken = _taken(ids, begin, end, ignore)
    absences = _absences(ids, clinics, begin, end)
    return [
        calendar
        for provider in providers
        for calendar in _by_clinic(provider, windows, taken, absences)
    ]


def _by_clinic(
    provider: Provider,
    windows: dict[UUID, list[Window]],
    taken: dict[UUID, list[Interval]],
    absences: dict[UUID, list[Interval]],
) -> Iterator[Calendar]:
    """Yield one calendar per clinic, since a closure takes only that clinic's hours away."""
    for clinic in {window.clinic for window in windows.get(provider.pk, [])}:
        yield Calendar(
            provider=provider,
            windows=[w for w in windows[provider.pk] if w.clinic == clinic],
            taken=taken.get(provider.pk, []),
            away=absences.get(provider.pk, []) + absences.get(clinic, []),  # type: ignore[call-overload]
        )


def _windows(
    ids: list[UUID], clinics: list[Clinic], first: date, last: date
) -> dict[UUID, list[Window]]:
    zones = {clinic.pk: clinic.zone for clinic in clinics}
    rows = (
        ProviderSchedule.objects.filter(
            Q(valid_until__isnull=True) | Q(valid_until__gte=first - DAY),
            provider__in=ids,
            clinic__in=clinics,
            is_active=True,
            valid_from__lte=last + DAY,
        )
        .annotate(
            types=ArrayAgg("visit_types", filter=Q(visit_types__isnull=False), default=Value([]))
        )
        .order_by("pk")
    )
    found: dict[UUID, list[Window]] = {}
    for row in rows:
        found.setdefault(row.provider_id, []).append(
            Window(
                clinic=row.clinic_id,
                zone=zones[row.clinic_id],
                weekday=row.day_of_week,
                start=row.start_time,
                end=row.end_time,
                step=row.slot_duration_minutes,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                types=frozenset(row.types),
            )
        )
    return found


def _taken(
    ids: list[UUID], begin: datetime, end: datetime, ignore: SlotHold | Appointment | None
) -> dict[UUID, list[Interval]]:
    """Return busy times, buffers included, of visits in any lane and of live holds."""
    span = (begin, end)
    visits = Appointment.objects.live().filter(provider__in=ids, busy__overlap=span).order_by()
    holds = SlotHold.objects.live().filter(provider__in=ids, busy__overlap=span)
    if ignore is not None:
        visits, holds = visits.exclude(pk=ignore.pk), holds.exclude(pk=ignore.pk)
    wanted = ("provider", "busy")
    found: dict[UUID, list[Interval]] = {}
    for provider, busy in visits.values_list(*wanted).union(holds.values_list(*wanted), all=True):
        found.setdefault(provider, []).append(Interval(busy.lower, busy.upper))
    return found


def _absences(
    ids: list[UUID], clinics: list[Clinic], begin: datetime, end: datetime
) -> dict[UUID, list[Interval]]:
    """Return time off by provider and closures by clinic: their ids never meet."""
    inside = {"end_datetime__gt": begin, "start_datetime__lt": end}
    times = ("start_datetime", "end_datetime")
    off = TimeOff.objects.filter(provider__in=ids, **inside).order_by()
    closed = ClinicClosure.objects.filter(clinic__in=clinics, **inside).order_by()
    rows = off.values_list("provider", *times).union(closed.values_list("clinic", *times), all=True)
    found: dict[UUID, list[Interval]] = {}
    for whose, start, finish in rows:
        found.setdefault(whose, []).append(Interval(start, finish))
    return found
