from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from scheduling.standing import Standing, standing_of
from tests.factories import AppointmentFactory

HOUR = timedelta(hours=1)
PATIENT = Actor.patient()


@pytest.fixture
def visit(db: None) -> Appointment:
    return AppointmentFactory.create()


def test_a_visit_to_come_can_be_confirmed_and_changed(visit: Appointment, now: datetime) -> None:
    assert standing_of(visit, now=now) == Standing("open", can_confirm=True, can_change=True)


def test_a_confirmed_visit_can_still_be_changed(visit: Appointment, now: datetime) -> None:
    visit = booking.confirm(appointment=visit, by=PATIENT, now=now)

    assert standing_of(visit, now=now) == Standing("confirmed", can_change=True)


@pytest.mark.parametrize("minutes", [1, 4 * 60 - 1, 4 * 60])
def test_within_the_cut_off_a_visit_can_be_confirmed_only(visit: Appointment, minutes: int) -> None:
    standing = standing_of(visit, now=visit.scheduled_start - timedelta(minutes=minutes))

    assert standing == Standing("open", can_confirm=True)
    assert standing.is_too_late


def test_just_before_the_cut_off_a_visit_can_be_changed(visit: Appointment) -> None:
    standing = standing_of(visit, now=visit.scheduled_start - 4 * HOUR - timedelta(seconds=1))

    assert standing.can_change
    assert not standing.is_too_late


def test_a_visit_that_has_begun_is_past(visit: Appointment) -> None:
    assert standing_of(visit, now=visit.scheduled_start) == Standing("past")


def test_a_cancelled_visit_stays_cancelled_when_its_day_is_over(
    visit: Appointment, now: datetime
) -> None:
    visit = booking.cancel(appointment=visit, reason="OTHER", by=PATIENT, now=now)

    assert standing_of(visit, now=visit.scheduled_end + 48 * HOUR) == Standing("cancelled")


def test_a_visit_that_took_place_is_past(visit: Appointment) -> None:
    visit = booking.complete(appointment=visit, by=Actor.system("test"), now=visit.scheduled_start)

    assert standing_of(visit, now=visit.scheduled_start - 5 * HOUR) == Standing("past")
