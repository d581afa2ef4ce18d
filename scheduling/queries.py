"""Reads for pages that show many rows at once, each in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q

from providers.models import (
    Clinic,
    ClinicClosure,
    Provider,
    ProviderSchedule,
    Specialty,
    TimeOff,
)
from scheduling.intervals import Interval
from scheduling.models import Appointment, SlotHold
from scheduling.slots import Slot, Visit, Window, free_slots, working

DAY = timedelta(days=1)
ANY_VISIT = Visit(type=None, minutes=None)


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
    """Return a clinic's day, one column for each provider with hours or visits, in five queries."""
    begins = datetime.combine(day, time.min, clinic.zone)
    ends = datetime.combine(day + DAY, time.min, clinic.zone)
    who = Provider.objects.filter(Q(clinic=clinic) | Q(schedules__clinic=clinic))
    if specialty is not None:
        who = who.filter(specialty=specialty)
    if provider is not None:
        who = who.filter(pk=provider.pk)
    columns: dict[UUID, DayColumn] = {}
    busy: dict[UUID, list[Interval]] = {}
    _add_hours(columns, clinic, day, who)
    _add_visits(columns, busy, clinic, who, (begins, ends))
    _add_holds(columns, busy, clinic, who, (begins, ends))
    _add_absences(columns, clinic, who, begins, ends)
    for column in columns.values():
        _count_free(column, busy.get(column.provider.pk, []), day, now)
    ordered = sorted(columns.values(), key=lambda column: column.provider.name)
    return ClinicDay(clinic, day, begins, ends, ordered)


Providers = Iterable[Provider]
Span = tuple[datetime, datetime]


def _add_hours(columns: dict[UUID, DayColumn], clinic: Clinic, day: date, who: Providers) -> None:
    rows = ProviderSchedule.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=day),
        provider__in=who,
        provider__is_active=True,
        clinic=clinic,
        is_active=True,
        day_of_week=day.weekday(),
        valid_from__lte=day,
    ).select_related("provider__specialty")
    for row in rows:
        column = columns.setdefault(row.provider_id, DayColumn(row.provider))
        column.windows.append(
            Window(
                clinic=clinic.pk,
                zone=clinic.zone,
                weekday=row.day_of_week,
                start=row.start_time,
                end=row.end_time,
                step=row.slot_duration_minutes,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
            )
        )


def _add_visits(
    columns: dict[UUID, DayColumn],
    busy: dict[UUID, list[Interval]],
    clinic: Clinic,
    who: Providers,
    span: Span,
) -> None:
    """Add the visits that take up time; those at another clinic only keep the time from being free."""
    rows = (
        Appointment.objects.live()
        .filter(provider__in=who, busy__overlap=span)
        .select_related("patient", "appointment_type", "provider__specialty")
        .defer("reason_for_visit")
    )
    for row in rows:
        busy.setdefault(row.provider_id, []).append(Interval(row.busy.lower, row.busy.upper))
        if (
            row.clinic_id == clinic.pk
            and row.scheduled_start < span[1]
            and row.scheduled_end > span[0]
        ):
            columns.setdefault(row.provider_id, DayColumn(row.provider)).visits.append(row)


def _add_holds(
    columns: dict[UUID, DayColumn],
    busy: dict[UUID, list[Interval]],
    clinic: Clinic,
    who: Providers,
    span: Span,
) -> None:
    rows = (
        SlotHold.objects.live()
        .filter(provider__in=who, busy__overlap=span)
        .select_related("appointment__patient")
        .defer("draft")
    )
    for row in rows:
        busy.setdefault(row.provider_id, []).append(Interval(row.busy.lower, row.busy.upper))
        if row.clinic_id == clinic.pk and row.provider_id in columns:
            columns[row.provider_id].holds.append(row)


def _add_absences(
    columns: dict[UUID, DayColumn],
    clinic: Clinic,
    who: Providers,
    begins: datetime,
    ends: datetime,
) -> None:
    inside = {"end_datetime__gt": begins, "start_datetime__lt": ends}
    for away in TimeOff.objects.filter(provider__in=who, **inside):
        if away.provider_id in columns:
            columns[away.provider_id].absences.append(
                Absence(Interval(away.start_datetime, away.end_datetime), away.get_reason_display())
            )
    for closure in ClinicClosure.objects.filter(clinic=clinic, **inside):
        closed = Absence(Interval(closure.start_datetime, closure.end_datetime), closure.label)
        for column in columns.values():
            column.absences.append(closed)


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
