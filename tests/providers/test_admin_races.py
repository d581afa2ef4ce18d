"""Two who save on the set-up pages at the same moment: the second gets a form error."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, time
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from providers.hours import save_schedule
from providers.models import Clinic, Provider, ProviderSchedule, Weekday
from tests.factories import ProviderFactory, UserFactory
from tests.providers.setup_pages import address, filled, problems

pytestmark = pytest.mark.django_db(transaction=True)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@contextmanager
def somebody_saving(save: Callable[[], object]) -> Iterator[None]:
    """Save in another transaction, which is committed once somebody else waits for it."""
    saved = Event()

    def hold_on() -> None:
        try:
            with transaction.atomic():
                save()
                saved.set()
                _until_somebody_waits()
        finally:
            saved.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        other: Future[None] = pool.submit(hold_on)
        saved.wait()
        yield
        other.result()


def _until_somebody_waits() -> None:
    for _ in range(500):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        clock.sleep(0.01)
    raise AssertionError("nobody waited")


@pytest.fixture
def idle(clinic: Clinic) -> Provider:
    """A provider without any hours yet."""
    provider: Provider = ProviderFactory.create(clinic=clinic, name="Dr. Ito")
    return provider


def window(provider: Provider) -> ProviderSchedule:
    return ProviderSchedule(
        provider=provider,
        clinic=provider.clinic,
        day_of_week=Weekday.MONDAY,
        start_time=time(8),
        end_time=time(12),
        slot_duration_minutes=30,
        valid_from=date(2020, 1, 1),
    )


OVERLAPPING = {
    "day_of_week": Weekday.MONDAY,
    "start_time": "10:00",
    "end_time": "14:00",
    "slot_duration_minutes": 30,
    "valid_from": "2020-01-01",
    "is_active": "on",
}


def inline(clinic: Clinic) -> dict[str, Any]:
    row = {f"schedules-0-{name}": value for name, value in OVERLAPPING.items()}
    return row | {"schedules-TOTAL_FORMS": 1, "schedules-0-clinic": clinic.pk}


def test_hours_that_overlap_those_just_saved_are_a_form_error(site: Client, idle: Provider) -> None:
    url = address("providers_providerschedule", "add")
    sent = filled(site, url, OVERLAPPING | {"provider": idle.pk, "clinic": idle.clinic.pk})
    with somebody_saving(lambda: save_schedule(window(idle))):
        answer = site.post(url, sent)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.non_field_errors()
    assert ProviderSchedule.objects.get().start_time == time(8)


def test_hours_beside_a_provider_that_overlap_are_one_too(site: Client, idle: Provider) -> None:
    url = address("providers_provider", "change", idle.pk)
    sent = filled(site, url, inline(idle.clinic))
    with somebody_saving(lambda: save_schedule(window(idle))):
        answer = site.post(url, sent)
    assert answer.status_code == 200
    assert "overlap" in str(problems(answer))
    assert ProviderSchedule.objects.get().start_time == time(8)


def test_one_address_for_two_new_colleagues_is_one_too(
    site: Client, manager: User, clinic: Clinic
) -> None:
    email = "new@clinic.example"
    url = address("auth_user", "add")
    sent = filled(site, url, {"email": email, "usable_password": "false"})
    sent |= {"memberships-0-clinic": clinic.pk, "memberships-0-role": "RECEPTIONIST"}
    with somebody_saving(lambda: UserFactory.create(username=email, email=email)):
        answer = site.post(url, sent)
    assert answer.status_code == 200
    assert "Somebody else signs in" in str(problems(answer))
