"""Whoever listens hears of each change of hours what was and what is, in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client

from providers import hours
from providers.hours import AnyChange
from providers.models import ClinicClosure, Provider, ProviderSchedule, TimeOff
from tests.factories import ProviderScheduleFactory, at, next_monday
from tests.providers.setup_pages import address, posted

pytestmark = pytest.mark.django_db
START = at(next_monday(1), "09:00")
HOUR = timedelta(hours=1)
HEARD: list[Any] = []
HERE = "tests.providers.test_hours_told"


def remember(change: AnyChange) -> None:
    """Keep what is told as it is now: the rows are their caller's, who may change them again."""
    HEARD.append(deepcopy(change))


def fail(change: AnyChange) -> None:
    raise LookupError(change)


@pytest.fixture
def heard(provider: Provider, settings: Any) -> Iterator[list[Any]]:
    """Nothing that happened before counts."""
    settings.HOURS_HANDLERS = [f"{HERE}.remember"]
    HEARD.clear()
    yield HEARD
    HEARD.clear()


def leave(provider: Provider) -> TimeOff:
    span = {"start_datetime": START, "end_datetime": START + 2 * HOUR}
    return TimeOff(provider=provider, reason="SICK", **span)


def holiday(provider: Provider) -> ClinicClosure:
    span = {"start_datetime": START, "end_datetime": START + 2 * HOUR}
    return ClinicClosure(clinic=provider.clinic, label="Holiday", **span)


Verb = Callable[[Any], Any]
ABSENCES: dict[str, tuple[Callable[[Provider], Any], Verb, Verb]] = {
    "time off": (leave, hours.save_time_off, hours.remove_time_off),
    "a closure": (holiday, hours.save_closure, hours.remove_closure),
}


@pytest.mark.parametrize("kind", ABSENCES)
def test_absences_are_told_as_they_were_and_as_they_are(
    kind: str, provider: Provider, heard: list[Any]
) -> None:
    make, save, remove = ABSENCES[kind]
    row = save(make(provider))
    row.end_datetime = START + HOUR
    save(row)
    remove(row)
    ends = [
        tuple([one.end_datetime - START for one in rows] for rows in (told.before, told.after))
        for told in heard
    ]
    assert ends == [([], [2 * HOUR]), ([2 * HOUR], [HOUR]), ([HOUR], [])]


def test_hours_are_told_as_they_were_and_as_they_are(provider: Provider, heard: list[Any]) -> None:
    row = ProviderScheduleFactory.create(provider=provider, day_of_week=5)
    row.end_time = time(12)
    hours.save_schedule(row)
    hours.remove_schedule(row)
    ends = [
        tuple([one.end_time.hour for one in rows] for rows in (told.before, told.after))
        for told in heard
    ]
    assert ends == [([], [17]), ([17], [12]), ([12], [])]


def test_windows_changed_together_are_told_together_and_as_they_were_at_first(
    provider: Provider, heard: list[Any]
) -> None:
    one, other, third = provider.schedules.order_by("day_of_week")[:3]
    one.day_of_week, other.day_of_week = other.day_of_week, one.day_of_week
    hours.change_schedules(saved=[(one, None), (other, None)], removed=[third])
    (told,) = heard
    assert sorted(row.day_of_week for row in told.before) == [0, 1, 2]
    assert all(row.is_active for row in told.before)
    assert [row.day_of_week for row in told.after] == [1, 0]
    assert provider.schedules.filter(is_active=True).count() == 4


def test_a_providers_page_tells_its_hours_once(
    site: Client, provider: Provider, heard: list[Any]
) -> None:
    page = address("providers_provider", "change", provider.pk)
    changed = {"schedules-0-end_time": "18:00", "schedules-1-DELETE": "on"}
    posted(site, page, changed)
    told = [one for one in heard if any(isinstance(r, ProviderSchedule) for r in one.before)]
    assert len(told) == 1
    assert sorted(row.end_time.hour for row in told[0].before) == [17, 17]
    assert [row.end_time.hour for row in told[0].after] == [18]


@pytest.mark.parametrize("kind", ABSENCES)
def test_a_listener_that_fails_undoes_the_act(kind: str, provider: Provider, settings: Any) -> None:
    settings.HOURS_HANDLERS = [f"{HERE}.fail"]
    make, save, _remove = ABSENCES[kind]
    with pytest.raises(LookupError):
        save(make(provider))
    assert not TimeOff.objects.exists()
    assert not ClinicClosure.objects.exists()
