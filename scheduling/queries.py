"""Reads for pages that show many rows at once, each in a constant number of queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, FilteredRelation, Q, QuerySet, UUIDField, Value

from providers.models import (
    Clinic,
    ClinicClosure,
    Provider,
    ProviderSchedule,
    Specialty,
    TimeOff,
    VisitType,
)
from scheduling.intervals import Interval
from scheduling.models import Appointment, SlotHold
from scheduling.slots import Slot, Visit, Window, free_slots, working

DAY = timedelta(days=1)
ANY_VISIT = Visit(type=None, minutes=None)
SHOWN = (
    "patient__given_name",
    "patient__family_name",
    "patient__name_suffix",
    "provider_id",
    "clinic_id",
    "appointment_type_id",
    "scheduled_start",
    "scheduled_end",
    "busy",
    "overbook_lane",
    "status",
    "arrived_at",
    "roomed_at",
)


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a provider sees nobody: a TimeOff or a ClinicClosure, cut to nothing."""

    interval: Interval
    label: str


@dataclass(slots=True)
class DayColumn:
    """One provider's day at a clinic. `free` are starts of the grid still free, `total` all."""

    provider: Provider
    windows: list[Window] = field(default_factory=list)
    hours: list[Interval] = field(default_factory=list)
    visits: list[Appointment] = field(default_factory=list)
    holds: list[SlotHold] = field(default_factory=list)
    absences: list[Absence] = field(default_factory=list)
    free: list[Slot] = field(default_factory=list)
    total: int = 0


@dataclass(frozen=True, slots=True)
class ClinicDay:
    """A clinic's day: `begins` and `ends` are its local midnights as instants."""

    clinic: Clinic
    day: date
    begins: datetime
    ends: datetime
    columns: list[DayColumn]


def clinic_day(
    clinic: Clinic,
    day: date,
    *,
    now: datetime,
    specialty: Specialty | None = None,
    provider: Provider | None = None,
) -> ClinicDay:
    """Return a clinic's day, one column for each provider with hours or visits, in four queries."""
    begins = datetime.combine(day, time.min, clinic.zone)
    ends = datetime.combine(day + DAY, time.min, clinic.zone)
    here = ProviderSchedule.objects.filter(clinic=clinic)
    who = Provider.objects.filter(Q(clinic=clinic) | Q(pk__in=here.values("provider")))
    if specialty is not None:
        who = who.filter(specialty=specialty)
    if provider is not None:
        who = who.filter(pk=provider.pk)
    known: dict[UUID, Provider] = {}
    columns: dict[UUID, DayColumn] = {}
    busy: dict[UUID, list[Interval]] = {}
    _add_hours(columns, known, who, clinic, day)
    _add_visits(columns, busy, clinic, known, (begins, ends))
    _add_holds(columns, busy, clinic, known, (begins, ends))
    _add_absences(columns, clinic, known, (begins, ends))
    for column in columns.values():
        _count_free(column, busy.get(column.provider.pk, []), day, now)
    ordered = sorted(columns.values(), key=lambda column: column.provider.name)
    return ClinicDay(clinic, day, begins, ends, ordered)


Providers = dict[UUID, Provider]
Span = tuple[datetime, datetime]


def _add_hours(
    columns: dict[UUID, DayColumn],
    known: Providers,
    who: QuerySet[Provider],
    clinic: Clinic,
    day: date,
) -> None:
    """Find out who there is, and with it the working hours of the day: a row for each window."""
    rows: Any = who.select_related("specialty").annotate(
        hours=FilteredRelation(
            "schedules",
            condition=Q(
                Q(schedules__valid_until__isnull=True) | Q(schedules__valid_until__gte=day),
                schedules__clinic=clinic,
                schedules__is_active=True,
                schedules__day_of_week=day.weekday(),
                schedules__valid_from__lte=day,
            ),
        ),
        opens=F("hours__start_time"),
        closes=F("hours__end_time"),
        step=F("hours__slot_duration_minutes"),
        since=F("hours__valid_from"),
        until=F("hours__valid_until"),
    )
    rows = rows.order_by("name", "pk", "opens")
    for row in rows:
        one = known.setdefault(row.pk, row)
        if row.opens is None or not row.is_active:
            continue
        columns.setdefault(row.pk, DayColumn(one)).windows.append(
            Window(
                clinic=clinic.pk,
                zone=clinic.zone,
                weekday=day.weekday(),
                start=row.opens,
                end=row.closes,
                step=row.step,
                valid_from=row.since,
                valid_until=row.until,
            )
        )


def _add_visits(
    columns: dict[UUID, DayColumn],
    busy: dict[UUID, list[Interval]],
    clinic: Clinic,
    known: Providers,
    span: Span,
) -> None:
    """Add the visits that take up time; elsewhere they only keep the time from being free."""
    rows = (
        Appointment.objects.live()
        .filter(provider__in=known, busy__overlap=span)
        .select_related("patient")
        .only(*SHOWN)
        .annotate(label=F("appointment_type__label"), video=F("appointment_type__is_telehealth"))
    )
    kinds: dict[UUID, VisitType] = {}
    for row in rows:
        pk, kind = row.provider_id, row.appointment_type_id
        busy.setdefault(pk, []).append(Interval(row.busy.lower, row.busy.upper))
        if row.clinic_id != clinic.pk or not _touches(row, span):
            continue
        # One provider and one type for all the visits that share them, not a copy for each.
        row.provider = known[pk]
        if kind not in kinds:
            told: Any = row
            kinds[kind] = VisitType(pk=kind, label=told.label, is_telehealth=told.video)
        row.appointment_type = kinds[kind]
        columns.setdefault(pk, DayColumn(known[pk])).visits.append(row)


def _touches(visit: Appointment, span: Span) -> bool:
    return visit.scheduled_start < span[1] and visit.scheduled_end > span[0]


def _add_holds(
    columns: dict[UUID, DayColumn],
    busy: dict[UUID, list[Interval]],
    clinic: Clinic,
    known: Providers,
    span: Span,
) -> None:
    rows = (
        SlotHold.objects.live()
        .filter(provider__in=known, busy__overlap=span)
        .select_related("appointment__patient")
        .defer("draft")
    )
    for row in rows:
        busy.setdefault(row.provider_id, []).append(Interval(row.busy.lower, row.busy.upper))
        if row.clinic_id == clinic.pk and row.provider_id in columns:
            columns[row.provider_id].holds.append(row)


def _add_absences(
    columns: dict[UUID, DayColumn], clinic: Clinic, known: Providers, span: Span
) -> None:
    inside = {"end_datetime__gt": span[0], "start_datetime__lt": span[1]}
    when = ("start_datetime", "end_datetime")
    away = TimeOff.objects.filter(provider__in=known, **inside)
    closed = ClinicClosure.objects.filter(clinic=clinic, **inside)
    everybody = closed.annotate(provider=Value(None, output_field=UUIDField()))
    rows = (
        away.order_by()
        .values_list("provider", *when, "reason")
        .union(everybody.order_by().values_list("provider", *when, "label"), all=True)
    )
    for who, start, end, why in rows:
        concerned = columns.values() if who is None else filter(None, [columns.get(who)])
        label = why if who is None else str(TimeOff.Reason(why).label)
        for column in concerned:
            column.absences.append(Absence(Interval(start, end), label))


def _count_free(column: DayColumn, busy: list[Interval], day: date, now: datetime) -> None:
    """Find the free starts of the grid from now on, and how many the day has in all."""
    column.hours = [
        piece for pieces in working(column.windows, day, day).values() for piece in pieces
    ]
    start_of_time = datetime.combine(day - DAY, time.min, now.tzinfo)
    column.total = len(
        free_slots(
            windows=column.windows,
            visit=ANY_VISIT,
            first_day=day,
            last_day=day,
            blocked=[],
            away=[],
            now=min(now, start_of_time),
        )
    )
    column.free = free_slots(
        windows=column.windows,
        visit=ANY_VISIT,
        first_day=day,
        last_day=day,
        blocked=busy,
        away=[absence.interval for absence in column.absences],
        now=now,
    )
