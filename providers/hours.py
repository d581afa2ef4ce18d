"""The verbs that change when providers work: each bumps every calendar concerned, and tells of it.

Not durable on purpose: Django admin calls them inside its own transaction. What a change means for
appointments, and for time that comes free, is asked by whoever listens; settings name them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from providers.calendars import bump
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType

Row = TypeVar("Row", ProviderSchedule, TimeOff, ClinicClosure)


@dataclass(frozen=True, slots=True)
class HoursChange(Generic[Row]):
    """All rows of one kind that a verb changed: as they were, and as they are now.

    New ones are in `after` alone, removed ones in `before` alone. `at` is when it was done.
    """

    before: tuple[Row, ...]
    after: tuple[Row, ...]
    at: datetime


AnyChange = HoursChange[ProviderSchedule] | HoursChange[TimeOff] | HoursChange[ClinicClosure]
Handler = Callable[[AnyChange], None]


@lru_cache(maxsize=4)
def _handlers(paths: tuple[str, ...]) -> tuple[Handler, ...]:
    return tuple(import_string(path) for path in paths)


def _tell(before: Iterable[Row], after: Iterable[Row]) -> None:
    """Call every handler in settings.HOURS_HANDLERS, in order; one that fails undoes the act."""
    change = HoursChange(tuple(before), tuple(after), timezone.now())
    for handler in _handlers(tuple(settings.HOURS_HANDLERS)):
        handler(change)


def providers_at(clinic: Clinic) -> Iterable[uuid.UUID]:
    """Return the ids of all who belong to a clinic or have hours there, at any date."""
    return Provider.objects.filter(Q(clinic=clinic) | Q(schedules__clinic=clinic)).values_list(
        "pk", flat=True
    )


@transaction.atomic
def save_schedule(
    schedule: ProviderSchedule, *, visit_types: Iterable[VisitType] | None = None
) -> ProviderSchedule:
    """Write one window of hours; `visit_types` replaces those it allows, None leaves them."""
    before = list(ProviderSchedule.objects.filter(pk=schedule.pk))
    _write_schedule(schedule, visit_types)
    bump({schedule.provider_id, *(row.provider_id for row in before)})
    _tell(before, [schedule])
    return schedule


def _write_schedule(schedule: ProviderSchedule, visit_types: Iterable[VisitType] | None) -> None:
    schedule.clean()
    schedule.save()
    if visit_types is not None:
        schedule.visit_types.set(visit_types)


@transaction.atomic
def change_schedules(
    *,
    saved: Sequence[tuple[ProviderSchedule, Iterable[VisitType] | None]],
    removed: Sequence[ProviderSchedule] = (),
) -> None:
    """Write and remove several windows as one change: two may trade places, or make room.

    Each that is saved comes with the visit types it allows from now on, or None to leave them.
    """
    rows = [row for row, _types in saved]
    known = ProviderSchedule.objects.filter(pk__in=[row.pk for row in [*rows, *removed]])
    before = list(known)
    for row in removed:
        row.delete()
    known.update(is_active=False)
    for row, visit_types in saved:
        _write_schedule(row, visit_types)
    bump(row.provider_id for row in [*before, *rows])
    _tell(before, rows)


@transaction.atomic
def remove_schedule(schedule: ProviderSchedule) -> None:
    before = list(ProviderSchedule.objects.filter(pk=schedule.pk))
    schedule.delete()
    bump(row.provider_id for row in [*before, schedule])
    _tell(before, [])


@transaction.atomic
def save_time_off(time_off: TimeOff) -> TimeOff:
    """Write a span of time off. Appointments in it stay: `scheduling.impact` counts them."""
    before = list(TimeOff.objects.filter(pk=time_off.pk))
    time_off.save()
    bump({time_off.provider_id, *(row.provider_id for row in before)})
    _tell(before, [time_off])
    return time_off


@transaction.atomic
def remove_time_off(time_off: TimeOff) -> None:
    before = list(TimeOff.objects.filter(pk=time_off.pk))
    time_off.delete()
    bump(row.provider_id for row in [*before, time_off])
    _tell(before, [])


@transaction.atomic
def save_closure(closure: ClinicClosure) -> ClinicClosure:
    before = list(ClinicClosure.objects.filter(pk=closure.pk).select_related("clinic"))
    clinics = {closure.clinic, *(row.clinic for row in before)}
    closure.save()
    bump(pk for clinic in clinics for pk in providers_at(clinic))
    _tell(before, [closure])
    return closure


@transaction.atomic
def remove_closure(closure: ClinicClosure) -> None:
    before = list(ClinicClosure.objects.filter(pk=closure.pk).select_related("clinic"))
    closure.delete()
    bump(pk for row in [*before, closure] for pk in providers_at(row.clinic))
    _tell(before, [])


@transaction.atomic
def save_clinic(clinic: Clinic) -> Clinic:
    """Write a clinic; its zone or being active moves the hours of everyone who works there."""
    clinic.save()
    bump(providers_at(clinic))
    return clinic


@transaction.atomic
def save_provider(provider: Provider) -> Provider:
    provider.save()
    bump([provider.pk])
    return provider
