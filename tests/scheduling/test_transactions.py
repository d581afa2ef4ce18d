from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction
from psycopg import errors
from pytest_django import Settings

from providers.models import Provider
from scheduling.errors import Busy
from scheduling.transactions import TRIES, in_one_transaction
from tests.factories import AppointmentFactory, PatientFactory, VisitTypeFactory, at, next_monday

NINE = at(next_monday(), "09:00")
LOCK = "SELECT FROM providers_providercalendar WHERE provider_id = %s FOR UPDATE"


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_not_to_be_had_in_time_is_told_as_busy(
    provider: Provider, settings: Settings
) -> None:
    settings.BOOKING_LOCK_TIMEOUT_MS = 50
    visit_type, patient = VisitTypeFactory.create(), PatientFactory.create()
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute(LOCK, [provider.pk])
        with pytest.raises(Busy):
            AppointmentFactory.create(
                provider=provider, visit_type=visit_type, patient=patient, start=NINE
            )
        other.rollback()
    finally:
        other.close()
    assert AppointmentFactory.create(
        provider=provider, visit_type=visit_type, patient=patient, start=NINE
    ).pk


class Victim:
    """A verb that the database ends so many times because of a deadlock."""

    def __init__(self, times: int) -> None:
        self.left, self.calls = times, 0

    def __call__(self) -> str:
        self.calls += 1
        if self.left:
            self.left -= 1
            raise OperationalError("deadlock detected") from errors.DeadlockDetected()
        return "done"

    __name__ = "victim"


@pytest.mark.django_db
def test_the_victim_of_a_deadlock_tries_again() -> None:
    victim = Victim(TRIES - 1)
    assert in_one_transaction(victim)() == "done"
    assert victim.calls == TRIES


@pytest.mark.django_db
def test_a_deadlock_every_time_is_told_as_busy() -> None:
    victim = Victim(TRIES)
    with pytest.raises(Busy):
        in_one_transaction(victim)()
    assert victim.calls == TRIES


@pytest.mark.django_db
def test_any_other_failure_of_the_database_is_not_hidden() -> None:
    def fail() -> None:
        raise OperationalError("disk full") from errors.DiskFull()

    with pytest.raises(OperationalError, match="disk full"):
        in_one_transaction(fail)()


@pytest.mark.django_db(transaction=True)
def test_a_verb_refuses_to_run_inside_somebody_elses_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        in_one_transaction(Victim(0))()
