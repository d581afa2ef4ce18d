from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest

from providers import hours
from providers.models import (
    Clinic,
    ClinicClosure,
    Provider,
    ProviderCalendar,
    ProviderSchedule,
    TimeOff,
    VisitType,
    Weekday,
)
from tests.factories import (
    ClinicFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    TimeZoneFactory,
    at,
    next_monday,
)
from tests.refusals import commit_checks, forget_bumps

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
START = at(next_monday(), "09:00")


def version(provider: Provider) -> int:
    return ProviderCalendar.objects.get(pk=provider.pk).version


def leave(provider: Provider) -> TimeOff:
    return TimeOff(
        provider=provider, start_datetime=START, end_datetime=START + HOUR, reason="SICK"
    )


def holiday(clinic: Clinic) -> ClinicClosure:
    return ClinicClosure(
        clinic=clinic, start_datetime=START, end_datetime=START + HOUR, label="Holiday"
    )


ACTS: dict[str, Callable[[Provider], object]] = {
    "saving hours": lambda p: hours.save_schedule(
        ProviderSchedule(
            provider=p,
            day_of_week=Weekday.SATURDAY,
            start_time=time(8),
            end_time=time(12),
            valid_from=next_monday(),
        )
    ),
    "removing hours": lambda p: hours.remove_schedule(p.schedules.all()[0]),
    "saving time off": lambda p: hours.save_time_off(leave(p)),
    "saving a closure": lambda p: hours.save_closure(holiday(p.clinic)),
    "saving the clinic": lambda p: hours.save_clinic(p.clinic),
    "saving the provider": hours.save_provider,
}


@pytest.mark.parametrize("act", ACTS)
def test_each_verb_bumps_the_calendar_and_so_may_commit(act: str, provider: Provider) -> None:
    before = version(provider)
    commit_checks()
    forget_bumps()
    ACTS[act](provider)
    commit_checks()
    assert version(provider) == before + 1


@pytest.mark.parametrize("act", ACTS)
def test_no_verb_bumps_a_provider_of_another_clinic(act: str, provider: Provider) -> None:
    stranger = ProviderFactory.create(working=True)
    before = version(stranger)
    ACTS[act](provider)
    assert version(stranger) == before


def test_hours_without_a_clinic_are_at_the_providers_own(provider: Provider) -> None:
    window = ACTS["saving hours"](provider)
    assert isinstance(window, ProviderSchedule)
    assert window.clinic == provider.clinic


def test_hours_replace_the_types_they_allow_only_when_told(
    provider: Provider, visit_type: VisitType
) -> None:
    window = ProviderScheduleFactory.create(
        provider=provider, day_of_week=Weekday.SUNDAY, visit_types=[visit_type]
    )
    hours.save_schedule(window)
    assert list(window.visit_types.all()) == [visit_type]
    hours.save_schedule(window, visit_types=[])
    assert not window.visit_types.exists()


def test_hours_that_change_hands_bump_both(provider: Provider) -> None:
    colleague = ProviderFactory.create(clinic=provider.clinic)
    window = provider.schedules.all()[0]
    before = version(provider), version(colleague)
    window.provider = colleague
    hours.save_schedule(window)
    assert (version(provider), version(colleague)) == (before[0] + 1, before[1] + 1)


def test_time_off_that_changes_hands_bumps_both(provider: Provider) -> None:
    colleague = ProviderFactory.create(clinic=provider.clinic)
    time_off = hours.save_time_off(leave(provider))
    before = version(provider), version(colleague)
    time_off.provider = colleague
    hours.save_time_off(time_off)
    assert (version(provider), version(colleague)) == (before[0] + 1, before[1] + 1)


def test_removed_time_off_is_gone_and_bumped(provider: Provider) -> None:
    time_off = hours.save_time_off(leave(provider))
    before = version(provider)
    hours.remove_time_off(time_off)
    assert not TimeOff.objects.exists()
    assert version(provider) == before + 1


def test_a_removed_closure_is_gone_and_bumped(provider: Provider) -> None:
    closure = hours.save_closure(holiday(provider.clinic))
    before = version(provider)
    hours.remove_closure(closure)
    assert not ClinicClosure.objects.exists()
    assert version(provider) == before + 1


def test_a_closure_bumps_visiting_providers_too(clinic: Clinic) -> None:
    visiting = ProviderFactory.create()
    ProviderScheduleFactory.create(provider=visiting, clinic=clinic)
    before = version(visiting)
    hours.save_closure(holiday(clinic))
    assert version(visiting) == before + 1


def test_a_closure_that_moves_bumps_both_clinics(provider: Provider) -> None:
    elsewhere = ProviderFactory.create(clinic=ClinicFactory.create())
    closure = hours.save_closure(holiday(provider.clinic))
    before = version(provider), version(elsewhere)
    closure.clinic = elsewhere.clinic
    hours.save_closure(closure)
    assert (version(provider), version(elsewhere)) == (before[0] + 1, before[1] + 1)


def test_a_clinic_may_move_to_another_zone(provider: Provider) -> None:
    clinic = provider.clinic
    clinic.time_zone = TimeZoneFactory.create(name="America/Chicago")
    commit_checks()
    forget_bumps()
    hours.save_clinic(clinic)
    commit_checks()
    assert Clinic.objects.get(pk=clinic.pk).zone.key == "America/Chicago"
