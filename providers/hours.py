"""The verbs that change when providers work: each bumps every calendar concerned.

Not durable on purpose: Django admin calls them inside its own transaction. Who is affected by a
change is a question about appointments, so it is answered in `scheduling`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q

from providers.calendars import bump
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType


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
    schedule.clean()
    before = ProviderSchedule.objects.filter(pk=schedule.pk).values_list("provider", flat=True)
    concerned = {schedule.provider_id, *before}
    schedule.save()
    if visit_types is not None:
        schedule.visit_types.set(visit_types)
    bump(concerned)
    return schedule


@transaction.atomic
def remove_schedule(schedule: ProviderSchedule) -> None:
    provider = schedule.provider_id
    schedule.delete()
    bump([provider])


@transaction.atomic
def save_time_off(time_off: TimeOff) -> TimeOff:
    """Write a span of time off. Appointments in it stay: `scheduling.leave` finds them."""
    before = TimeOff.objects.filter(pk=time_off.pk).values_list("provider", flat=True)
    concerned = {time_off.provider_id, *before}
    time_off.save()
    bump(concerned)
    return time_off


@transaction.atomic
def remove_time_off(time_off: TimeOff) -> None:
    provider = time_off.provider_id
    time_off.delete()
    bump([provider])


@transaction.atomic
def save_closure(closure: ClinicClosure) -> ClinicClosure:
    before = ClinicClosure.objects.filter(pk=closure.pk).select_related("clinic")
    clinics = {closure.clinic, *(row.clinic for row in before)}
    closure.save()
    bump(pk for clinic in clinics for pk in providers_at(clinic))
    return closure


@transaction.atomic
def remove_closure(closure: ClinicClosure) -> None:
    clinic = closure.clinic
    closure.delete()
    bump(providers_at(clinic))


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
