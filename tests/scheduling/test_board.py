"""A clinic's day as rows and as blocks on the board."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.hours import save_time_off
from providers.models import Clinic, Provider, TimeOff, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.board import lay_out
from scheduling.models import Appointment, SlotHold
from scheduling.queries import clinic_day
from tests.factories import (
    AppointmentFactory,
    ProviderFactory,
    at,
    hold_of,
    next_monday,
)

MONDAY = next_monday(1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType) -> Appointment:
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=at(MONDAY, "09:00")
    )


def test_a_day_counts_free_and_all_starts_of_the_grid(
    clinic: Clinic, nine: Appointment, now: datetime
) -> None:
    (column,) = clinic_day(clinic, MONDAY, now=now).columns
    assert (len(column.free), column.total) == (17, 18)
    assert column.visits == [nine]


def test_a_visit_stays_on_the_board_when_the_hours_it_was_booked_in_are_gone(
    clinic: Clinic, nine: Appointment, now: datetime
) -> None:
    (column,) = clinic_day(clinic, MONDAY + timedelta(days=7), now=now).columns
    assert column.visits == []
    nine.provider.schedules.update(valid_until=MONDAY - timedelta(days=1))
    (column,) = clinic_day(clinic, MONDAY, now=now).columns
    assert (column.visits, column.free, column.total) == ([nine], [], 0)


def test_overlapping_visits_stand_side_by_side(
    clinic: Clinic, nine: Appointment, now: datetime
) -> None:
    AppointmentFactory.create(
        provider=nine.provider,
        visit_type=nine.appointment_type,
        start=at(MONDAY, "09:00"),
        overbook=True,
    )
    board = lay_out(clinic_day(clinic, MONDAY, now=now), now=now)
    blocks = [e for e in board["columns"][0]["entries"] if e.kind == "visit"]
    assert [block.place for block in blocks] == [
        "h9 m0 dh0 dm30 of-2 lane-0",
        "h9 m0 dh0 dm30 of-2 lane-1",
    ]
    assert [block.is_overbooked for block in blocks] == [False, True]


def test_time_off_takes_the_free_cells_and_is_named(
    clinic: Clinic, provider: Provider, now: datetime
) -> None:
    save_time_off(
        TimeOff(
            provider=provider,
            start_datetime=at(MONDAY, "00:00"),
            end_datetime=at(MONDAY + timedelta(days=1), "00:00"),
            reason="VACATION",
        )
    )
    board = lay_out(clinic_day(clinic, MONDAY, now=now), now=now)
    (entry,) = board["columns"][0]["entries"]
    assert (entry.kind, entry.label, entry.place) == ("off", "Vacation", "h8 m0 dh9 dm0")
    assert board["columns"][0]["free_text"] == "0 of 18 free"


def test_a_cancellation_that_can_be_undone_and_a_hold_say_until_when(
    clinic: Clinic, nine: Appointment, visit_type: VisitType, now: datetime, desk: Actor
) -> None:
    booking.cancel(appointment=nine, reason="OTHER", by=desk, now=now)
    hold_of(nine.provider, visit_type, at(MONDAY, "10:00"), purpose=SlotHold.Purpose.PHONE)
    board = lay_out(clinic_day(clinic, MONDAY, now=now), now=now)
    words = [e.word for e in board["columns"][0]["entries"] if e.kind == "visit"]
    assert words == ["Cancelled", "Held"]


@pytest.mark.parametrize("providers", [1, 10])
def test_a_day_is_read_with_four_questions_for_one_provider_and_for_ten(
    clinic: Clinic, visit_type: VisitType, now: datetime, providers: int
) -> None:
    for _ in range(providers):
        someone = ProviderFactory.create(clinic=clinic, working=True)
        AppointmentFactory.create(
            provider=someone, visit_type=visit_type, start=at(MONDAY, "09:00")
        )
    with CaptureQueriesContext(connection) as asked:
        lay_out(clinic_day(clinic, MONDAY, now=now), now=now)
    assert len(asked) == 4
