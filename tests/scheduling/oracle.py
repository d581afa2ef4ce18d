"""What is free, decided anew from the rows and with the plain arithmetic of `scheduling.slots`.

The definition that every faster way is compared with: knows no blocks, no stamps and no cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Value

from providers.fields import ClockTimestamp
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType
from scheduling.availability.query import Query
from scheduling.intervals import Interval
from scheduling.models import Appointment, SlotHold
from scheduling.placing import Terms
from scheduling.slots import Visit, Window, free_slots

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
Absences = dict[UUID, list[Interval]]


class Offer(NamedTuple):
    """One free time: UTC instants, half-open, and whose it is at which clinic."""

    start: datetime
    end: datetime
    provider: UUID
    clinic: UUID


def fresh_search(
    query: Query,
    terms: Terms,
    now: datetime,
    *,
    clock: datetime | None = None,
    ignore: SlotHold | Appointment | None = None,
) -> list[Offer]:
    """Return every free time, ordered by start, provider's name by code point, id and clinic.

    Holds live as long as `clock` has not reached their end; None asks the database's clock.
    `ignore` is a hold or a visit that takes no time, and the visit's own place is not offered.
    """
    providers = {provider.pk: provider.name for provider in matching(query)}
    first, last = bounds(query, terms, now)
    if not providers or first > last:
        return []
    windows = hours(providers, query.clinics, first, last)
    begin = datetime.combine(first - 2 * DAY, time.min, UTC)
    end = datetime.combine(last + 3 * DAY, time.max, UTC)
    taken = busy(providers, begin, end, clock, ignore)
    away = absences(providers, query.clinics, begin, end)
    found = [
        Offer(slot.start, slot.end, provider, clinic)
        for (provider, clinic), rows in windows.items()
        for slot in free_slots(
            windows=rows,
            visit=visit(query.visit_type, terms),
            first_day=first,
            last_day=last,
            blocked=taken.get(provider, []),
            away=away.get(provider, []) + away.get(clinic, []),
            now=now,
        )
    ]
    zones = {clinic.pk: clinic.zone for clinic in query.clinics}
    kept = [
        offer
        for offer in found
        if wanted(query, offer.start.astimezone(zones[offer.clinic])) and not stands(ignore, offer)
    ]
    return sorted(kept, key=lambda o: (o.start, providers[o.provider], o.provider, o.clinic))


def fresh_days(
    query: Query,
    terms: Terms,
    now: datetime,
    *,
    days: int,
    clock: datetime | None = None,
    ignore: SlotHold | Appointment | None = None,
) -> list[tuple[date, int, Offer]]:
    """Return the first local dates with a free time: how many different starts, and the first."""
    zones = {clinic.pk: clinic.zone for clinic in query.clinics}

    def day_of(offer: Offer) -> date:
        return offer.start.astimezone(zones[offer.clinic]).date()

    offers = fresh_search(query, terms, now, clock=clock, ignore=ignore)
    by_day = [(day, list(group)) for day, group in groupby(sorted(offers, key=day_of), key=day_of)]
    return [(day, len({o.start for o in group}), group[0]) for day, group in by_day][:days]


def fresh_nearest(
    query: Query,
    to: datetime,
    terms: Terms,
    now: datetime,
    *,
    limit: int,
    clock: datetime | None = None,
) -> list[Offer]:
    """Return the wanted provider's times nearest to `to`, then one each of the specialty's others.

    From a day before `to` until two weeks after it; of those equally far by provider, then start.
    """
    day = to.astimezone(query.clinics[0].zone).date()
    near = replace(query, first_day=day - DAY, last_day=day + 14 * DAY)
    if query.provider is not None:
        near = replace(near, provider=None, specialty=query.provider.specialty)
    offers = fresh_search(near, terms, now, clock=clock)
    names = dict(Provider.objects.values_list("pk", "name"))
    offers.sort(key=lambda o: (abs(o.start - to), names[o.provider], o.provider))
    wanted_one = query.provider.pk if query.provider else None
    own = [offer for offer in offers if offer.provider == wanted_one][:limit]
    others: dict[UUID, Offer] = {}
    for offer in offers:
        if offer.provider != wanted_one:
            others.setdefault(offer.provider, offer)
    return own + list(others.values())[: limit - len(own)]


def is_fresh(
    query: Query, start: datetime, terms: Terms, now: datetime, *, clock: datetime | None = None
) -> bool:
    """Say whether a visit may start at that instant, on whatever date the clinic calls it."""
    day = start.astimezone(UTC).date()
    around = replace(query, first_day=day - DAY, last_day=day + DAY)
    offers = fresh_search(around, terms, now, clock=clock)
    return any(offer.start == start for offer in offers)


def bounds(query: Query, terms: Terms, now: datetime) -> tuple[date, date]:
    """Return the dates worth reading; what each clinic's own date forbids is decided later."""
    today = now.astimezone(UTC).date()
    last = query.last_day
    if terms.notice_and_horizon:
        last = min(last, today + DAY + query.visit_type.horizon_days * DAY)
    return max(query.first_day, today - DAY), last


def matching(query: Query) -> Iterable[Provider]:
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
    return found.distinct()


def visit(kind: VisitType, terms: Terms) -> Visit:
    bound = terms.notice_and_horizon
    return Visit(
        type=kind.pk,
        minutes=kind.minutes,
        buffer_before=kind.buffer_before_minutes,
        buffer_after=kind.buffer_after_minutes,
        notice=kind.minimum_notice_minutes * MINUTE if bound else timedelta(0),
        horizon_days=kind.horizon_days if bound else None,
    )


def wanted(query: Query, local: datetime) -> bool:
    clock = local.time()
    return (
        (not query.weekdays or local.weekday() in query.weekdays)
        and (query.not_before is None or clock >= query.not_before)
        and (query.not_after is None or clock <= query.not_after)
    )


def stands(moved: SlotHold | Appointment | None, offer: Offer) -> bool:
    """Say whether this is where the visit to be moved stands already."""
    if not isinstance(moved, Appointment):
        return False
    return (moved.scheduled_start, moved.provider_id) == (offer.start, offer.provider)


def hours(
    ids: Iterable[UUID], clinics: Sequence[Clinic], first: date, last: date
) -> dict[tuple[UUID, UUID], list[Window]]:
    """Return working hours by provider and clinic: a closure takes only its own clinic's away."""
    zones = {clinic.pk: clinic.zone for clinic in clinics}
    rows = ProviderSchedule.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=first - 2 * DAY),
        provider__in=list(ids),
        clinic__in=clinics,
        is_active=True,
        valid_from__lte=last + 2 * DAY,
    ).annotate(
        types=ArrayAgg("visit_types", filter=Q(visit_types__isnull=False), default=Value([]))
    )
    found: dict[tuple[UUID, UUID], list[Window]] = {}
    for row in rows:
        window = Window(
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
        found.setdefault((row.provider_id, row.clinic_id), []).append(window)
    return found


def busy(
    ids: Iterable[UUID],
    begin: datetime,
    end: datetime,
    clock: datetime | None,
    ignore: SlotHold | Appointment | None,
) -> Absences:
    """Return busy times, buffers included, of visits in any lane and of live holds."""
    span = {"provider__in": list(ids), "busy__overlap": (begin, end)}
    visits = Appointment.objects.live().filter(**span).order_by()
    holds = SlotHold.objects.filter(expires_at__gt=clock or ClockTimestamp(), **span)
    if ignore is not None:
        visits, holds = visits.exclude(pk=ignore.pk), holds.exclude(pk=ignore.pk)
    columns = ("provider", "busy")
    found: Absences = {}
    for provider, taken in visits.values_list(*columns).union(
        holds.values_list(*columns), all=True
    ):
        found.setdefault(provider, []).append(Interval(taken.lower, taken.upper))
    return found


def absences(
    ids: Iterable[UUID], clinics: Sequence[Clinic], begin: datetime, end: datetime
) -> Absences:
    """Return time off by provider and closures by clinic: their ids never meet."""
    inside = {"end_datetime__gt": begin, "start_datetime__lt": end}
    times = ("start_datetime", "end_datetime")
    off = TimeOff.objects.filter(provider__in=list(ids), **inside).order_by()
    closed = ClinicClosure.objects.filter(clinic__in=clinics, **inside).order_by()
    found: Absences = {}
    for whose, start, finish in off.values_list("provider", *times).union(
        closed.values_list("clinic", *times), all=True
    ):
        found.setdefault(whose, []).append(Interval(start, finish))
    return found
