from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from scheduling import booking
from scheduling.actors import Actor
from scheduling.calendar_files import calendar_file
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, UserFactory, VisitTypeFactory, at, next_monday


@pytest.fixture
def visit(db: None) -> Appointment:
    visit = AppointmentFactory.create(start=at(next_monday(1), "15:30"))
    visit.reason_for_visit = "A rash"
    visit.clinic.address = "12 River Street\nAlbany, NY 12207"
    return visit


def written(visit: Appointment, now: datetime) -> tuple[Calendar, Any]:
    calendar = Calendar.from_ical(calendar_file(visit, now=now))
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_the_file_says_when_where_and_with_which_clinic(visit: Appointment, now: datetime) -> None:
    calendar, event = written(visit, now)

    assert calendar["METHOD"] == "PUBLISH"
    assert event["SUMMARY"] == f"Appointment at {visit.clinic.name}"
    assert event["LOCATION"] == f"{visit.clinic.name}, 12 River Street, Albany, NY 12207"
    assert event["STATUS"] == "CONFIRMED"
    assert event["DTSTART"].dt == visit.scheduled_start
    assert event["DTEND"].dt == visit.scheduled_end
    assert event["DTSTART"].params["TZID"] == "America/New_York"
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["America/New_York"]


def test_the_file_says_neither_why_nor_with_whom(visit: Appointment, now: datetime) -> None:
    text = calendar_file(visit, now=now).decode()

    for secret in (
        "A rash",
        visit.patient.family_name,
        visit.patient.given_name,
        str(visit.provider.specialty),
        visit.appointment_type.label,
    ):
        assert secret not in text


def test_a_moved_visit_replaces_its_own_entry(visit: Appointment, now: datetime) -> None:
    _, before = written(visit, now)

    moved = booking.reschedule(
        appointment=visit,
        start=visit.scheduled_start + timedelta(days=1),
        by=Actor.staff(UserFactory.create().pk),
        now=now,
    )
    _, after = written(moved, now)

    assert after["UID"] == before["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after["DTSTART"].dt == moved.scheduled_start


def test_a_cancelled_visit_is_written_as_cancelled(visit: Appointment, now: datetime) -> None:
    cancelled = booking.cancel(appointment=visit, reason="OTHER", by=Actor.system("test"), now=now)

    assert written(cancelled, now)[1]["STATUS"] == "CANCELLED"


def test_a_video_visit_has_no_address(now: datetime, db: None) -> None:
    kind = VisitTypeFactory.create(is_telehealth=True)
    visit = AppointmentFactory.create(visit_type=kind, provider__offers_telehealth=True)

    assert written(visit, now)[1]["LOCATION"] == "By video"


def test_the_second_of_two_equal_hours_is_written_in_utc(visit: Appointment, now: datetime) -> None:
    """On November 1, 2026, New York's clocks show 1:30 am twice."""
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    for start in (first, first + timedelta(hours=1)):
        visit.scheduled_start, visit.scheduled_end = start, start + timedelta(minutes=20)
        _, event = written(visit, now)
        assert event["DTSTART"].dt.astimezone(UTC) == start
        assert event["DTEND"].dt.astimezone(UTC) == visit.scheduled_end


def test_the_file_folds_its_lines(visit: Appointment, now: datetime) -> None:
    visit.clinic.name = "Clínica " + "ñandú " * 30

    lines = calendar_file(visit, now=now).split(b"\r\n")

    assert max(map(len, lines)) <= 75
