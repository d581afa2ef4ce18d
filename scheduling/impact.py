"""Which booked visits no longer fit the hours: counted, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from providers.models import ClinicClosure, ProviderSchedule, TimeOff
from scheduling.intervals import Interval
from scheduling.models import Appointment
from scheduling.slots import Visit, why_not
from scheduling.transitions import Status
from scheduling.windows import Window

MINUTE = timedelta(minutes=1)


def misfits(providers: Iterable[UUID], *, now: datetime) -> list[Appointment]:
    """Return the coming visits of these providers that could not be booked where they are.

    Because of hours, time off, closures, or since the provider or clinic is not active any more.
    Four queries, however many providers.
    """
    ids = list(providers)
    visits = list(
        Appointment.objects.filter(
            provider__in=ids,
            scheduled_start__gte=now,
            status__in=[Status.SCHEDULED, Status.CONFIRMED],
        )
        .select_related("provider", "clinic", "appointment_type")
        .defer("reason_for_visit")
    )
    windows, away, closed = _windows(ids), _time_off(ids), _closures(visits)
    return [
        visit
        for visit in visits
        if not (visit.provider.is_active and visit.clinic.is_active)
        or _is_refused(
            visit,
            windows.get(visit.provider_id, []),
            [*away.get(visit.provider_id, []), *closed.get(visit.clinic_id, [])],
            now,
        )
    ]


def _is_refused(
    visit: Appointment, windows: Sequence[Window], away: Sequence[Interval], now: datetime
) -> bool:
    length = int((visit.scheduled_end - visit.scheduled_start) / MINUTE)
    return (
        why_not(
            windows=windows,
            visit=Visit(type=visit.appointment_type_id, minutes=length),
            start=visit.scheduled_start,
            clinic=visit.clinic_id,
            away=away,
            now=now,
            on_grid=False,
        )
        is not None
    )


def _windows(ids: Sequence[UUID]) -> dict[UUID, list[Window]]:
    found: dict[UUID, list[Window]] = {}
    rows = ProviderSchedule.objects.filter(provider__in=ids, is_active=True)
    for row in rows.select_related("clinic").prefetch_related("visit_types"):
        window = Window(
            clinic=row.clinic_id,
            zone=row.clinic.zone,
            weekday=row.day_of_week,
            start=row.start_time,
            end=row.end_time,
            step=row.slot_duration_minutes,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            types=frozenset(kind.pk for kind in row.visit_types.all()),
        )
        found.setdefault(row.provider_id, []).append(window)
    return found


def _time_off(ids: Sequence[UUID]) -> dict[UUID, list[Interval]]:
    found: dict[UUID, list[Interval]] = {}
    for row in TimeOff.objects.filter(provider__in=ids):
        span = Interval(row.start_datetime, row.end_datetime)
        found.setdefault(row.provider_id, []).append(span)
    return found


def _closures(visits: Iterable[Appointment]) -> dict[UUID, list[Interval]]:
    found: dict[UUID, list[Interval]] = {}
    for row in ClinicClosure.objects.filter(clinic__in={visit.clinic_id for visit in visits}):
        span = Interval(row.start_datetime, row.end_datetime)
        found.setdefault(row.clinic_id, []).append(span)
    return found
