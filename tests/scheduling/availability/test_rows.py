"""What free time is made of is read whole, as it stands in the tables, in one statement."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from patients.models import Patient
from providers.hours import save_closure, save_schedule, save_time_off
from providers.models import (
    Clinic,
    ClinicClosure,
    Provider,
    ProviderSchedule,
    TimeOff,
    VisitType,
)
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import rows
from scheduling.availability.rows import Rows
from scheduling.models import Appointment
from scheduling.windows import Window
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONDAY = next_monday(1)
BEGIN = datetime.combine(MONDAY, time(0), UTC)
END = BEGIN + 7 * DAY


def read(*whose: Provider, **other: Any) -> Rows:
    asked = {"begin": BEGIN, "end": END, "clock": timezone.now()} | other
    return rows.read([provider.pk for provider in whose], **asked)


def minutes(start: datetime, end: datetime) -> tuple[int, int]:
    return (start - EPOCH) // MINUTE, -((EPOCH - end) // MINUTE)


def everything(found: Rows) -> dict[str, set[UUID]]:
    return {
        "windows": set(found.windows),
        "taken": set(found.taken),
        "holds": set(found.holds),
        "away": set(found.away),
    }


def test_hours_come_with_the_zone_of_their_clinic_and_without_dates_beyond_the_span(
    provider: Provider,
) -> None:
    west = ClinicFactory.create(time_zone__name="America/Los_Angeles")
    types = VisitTypeFactory.create_batch(3)
    ProviderScheduleFactory.create(
        provider=provider,
        clinic=west,
        day_of_week=6,
        start_time=time(18, 7),
        end_time=time(0),
        slot_duration_minutes=7,
        valid_from=MONDAY - 7 * DAY,
        valid_until=MONDAY + 70 * DAY,
        visit_types=types[:2],
    )
    windows = read(provider).windows[provider.pk]
    assert len(windows) == 6
    (late,) = (window for window in windows if window.clinic == west.pk)
    assert late == Window(
        clinic=west.pk,
        zone=ZoneInfo("America/Los_Angeles"),
        weekday=6,
        start=time(18, 7),
        end=time(0),
        step=7,
        valid_from=(BEGIN - DAY).date(),
        valid_until=None,
        types=frozenset(kind.pk for kind in types[:2]),
    )
    assert {astuple(w)[2:] for w in windows if w != late} == {
        (weekday, time(8), time(17), 30, (BEGIN - DAY).date(), None, frozenset())
        for weekday in range(5)
    }


def test_hours_that_are_switched_off_or_not_valid_in_the_span_are_left_out() -> None:
    hours: list[dict[str, Any]] = [
        {"valid_from": date(2020, 1, 1), "valid_until": MONDAY - 3 * DAY},
        {"valid_from": MONDAY + 20 * DAY, "valid_until": None},
        {"valid_from": MONDAY + 6 * DAY, "valid_until": MONDAY + 6 * DAY},
        {"valid_from": MONDAY, "is_active": False},
    ]
    provider = ProviderFactory.create()
    for number, which in enumerate(hours):
        ProviderScheduleFactory.create(provider=provider, day_of_week=number, **which)
    assert [window.weekday for window in read(provider).windows[provider.pk]] == [2]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("ends", [True, False])
def test_hours_of_the_last_local_day_that_the_span_touches_are_read(zone: str, ends: bool) -> None:
    """Fourteen hours before UTC and eleven behind: the local date is another one."""
    clinic = ClinicFactory.create(time_zone__name=zone)
    provider = ProviderFactory.create(clinic=clinic)
    instant = END - MINUTE if ends else BEGIN
    local = instant.astimezone(ZoneInfo(zone)).date()
    ProviderScheduleFactory.create(
        provider=provider, day_of_week=local.weekday(), valid_from=local, valid_until=local
    )
    (window,) = read(provider).windows[provider.pk]
    assert window.applies(local)


def test_equal_hours_are_one_tuple_in_whatever_order_their_rows_come(clinic: Clinic) -> None:
    one, other = ProviderFactory.create_batch(2, clinic=clinic, working=True)
    theirs = list(ProviderSchedule.objects.filter(provider=other).order_by("-day_of_week"))
    ProviderSchedule.objects.filter(provider=other).delete()
    ProviderSchedule.objects.bulk_create(theirs)
    found = read(one, other)
    assert len(found.windows[one.pk]) == 5
    assert found.windows[one.pk] is found.windows[other.pk]


def test_visits_take_their_time_with_buffers_in_any_lane_unless_cancelled(
    provider: Provider, patient: Patient, now: datetime, desk: Actor
) -> None:
    buffered = VisitTypeFactory.create(minutes=20, buffer_before_minutes=5, buffer_after_minutes=10)
    nine = at(MONDAY, "09:00")
    visit = AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=buffered, start=nine
    )
    assert read(provider).taken == {provider.pk: [minutes(nine - 5 * MINUTE, nine + 30 * MINUTE)]}
    Appointment.objects.filter(pk=visit.pk).update(overbook_lane=1)
    assert len(read(provider).taken[provider.pk]) == 1
    assert read(provider, ignore=visit.pk).taken == {}
    assert len(read(provider, ignore=uuid4()).taken[provider.pk]) == 1
    booking.cancel(appointment=visit, reason="PATIENT_REQUEST", by=Actor.patient(), now=now)
    assert read(provider).taken == {}


@pytest.mark.parametrize("status", ["SCHEDULED", "CONFIRMED", "COMPLETED", "NO_SHOW"])
def test_a_visit_takes_its_time_whatever_became_of_it(provider: Provider, status: str) -> None:
    visit = AppointmentFactory.create(provider=provider, start=at(MONDAY, "09:00"))
    Appointment.objects.filter(pk=visit.pk).update(status=status)
    assert len(read(provider).taken[provider.pk]) == 1


def test_holds_come_with_their_id_and_expiry_until_that_is_past(
    provider: Provider, visit_type: VisitType
) -> None:
    nine = at(MONDAY, "09:00")
    hold = hold_of(provider, visit_type, nine)
    hold.refresh_from_db()
    (held,) = read(provider).holds[provider.pk]
    assert (held.id, held.until) == (hold.pk, hold.expires_at)
    assert (held.start, held.end) == minutes(nine, nine + 30 * MINUTE)
    just_before = hold.expires_at - timedelta(microseconds=1)
    assert read(provider, clock=just_before).holds[provider.pk] == [held]
    assert read(provider, clock=hold.expires_at).holds == {}


def test_what_begins_or_ends_within_a_minute_takes_all_of_it(
    provider: Provider, visit_type: VisitType
) -> None:
    start = at(MONDAY, "09:00") + timedelta(seconds=59, microseconds=999_999)
    away = TimeOff(
        provider=provider,
        start_datetime=start,
        end_datetime=start + 5 * MINUTE + timedelta(microseconds=2),
        reason="CME",
    )
    save_time_off(away)
    first = (at(MONDAY, "09:00") - EPOCH) // MINUTE
    assert read(provider).away == {provider.pk: [(first, first + 7)]}


def test_whatever_reaches_over_the_span_is_cut_to_it(provider: Provider) -> None:
    save_time_off(
        TimeOff(
            provider=provider,
            start_datetime=datetime(1950, 1, 1, tzinfo=UTC),
            end_datetime=datetime(9999, 1, 1, tzinfo=UTC),
            reason="SICK",
        )
    )
    assert read(provider).away == {provider.pk: [minutes(BEGIN, END)]}


@pytest.mark.parametrize(
    ("start", "end", "inside"),
    [
        (BEGIN - HOUR, BEGIN, False),
        (BEGIN - HOUR, BEGIN + MINUTE, True),
        (END - MINUTE, END + HOUR, True),
        (END, END + HOUR, False),
    ],
)
def test_the_span_is_half_open(
    provider: Provider, start: datetime, end: datetime, inside: bool
) -> None:
    span = {"start_datetime": start, "end_datetime": end}
    save_time_off(TimeOff(provider=provider, reason="SICK", **span))
    save_closure(ClinicClosure(clinic=provider.clinic, label="Flood", **span))
    found = read(provider)
    assert (provider.pk in found.away, provider.clinic_id in found.closures) == (inside, inside)


def test_closures_are_those_of_their_clinic(provider: Provider) -> None:
    other = ClinicFactory.create()
    for clinic, clock in ((provider.clinic, "09:00"), (other, "10:00")):
        start = at(MONDAY, clock)
        save_closure(
            ClinicClosure(
                clinic=clinic, start_datetime=start, end_datetime=start + HOUR, label="Flood"
            )
        )
    found = read(provider)
    nine = at(MONDAY, "09:00")
    assert found.closures == {
        provider.clinic_id: [minutes(nine, nine + HOUR)],
        other.pk: [minutes(nine + HOUR, nine + 2 * HOUR)],
    }
    assert found.away == {}


def test_nothing_is_told_of_providers_who_are_not_asked_for(
    provider: Provider, visit_type: VisitType
) -> None:
    other = ProviderFactory.create(clinic=provider.clinic, working=True)
    AppointmentFactory.create(provider=other, start=at(MONDAY, "09:00"))
    hold_of(other, visit_type, at(MONDAY, "10:00"))
    save_time_off(TimeOff(provider=other, start_datetime=BEGIN, end_datetime=END, reason="SICK"))
    found = everything(read(provider))
    assert found == {"windows": {provider.pk}, "taken": set(), "holds": set(), "away": set()}
    assert all(ids == {other.pk} for ids in everything(read(other)).values())
    assert not any(everything(read()).values())


@pytest.mark.parametrize("providers", [1, 200])
def test_any_number_of_providers_is_one_statement(clinic: Clinic, providers: int) -> None:
    people = ProviderFactory.create_batch(providers, clinic=clinic)
    for someone in people[:3]:
        ProviderScheduleFactory.create(provider=someone)
        hold_of(someone, VisitTypeFactory.create(), at(MONDAY, "09:00"))
    with CaptureQueriesContext(connection) as asked:
        read(*people)
    assert len(asked) == 1


def test_every_visit_of_a_full_week_is_there_and_in_its_place(clinic: Clinic) -> None:
    """The packed bytes against the rows themselves."""
    people = ProviderFactory.create_batch(3, clinic=clinic, working=True)
    short = VisitTypeFactory.create(minutes=5, buffer_after_minutes=5)
    patients = PatientFactory.create_batch(3, clinic=clinic)
    for number in range(30):
        start = at(MONDAY + (number % 5) * DAY, "08:00") + number * 10 * MINUTE
        provider, patient = people[number % 3], patients[number % 3]
        AppointmentFactory.create(provider=provider, patient=patient, visit_type=short, start=start)
    found = read(*people).taken
    for someone in people:
        busy = Appointment.objects.filter(provider=someone).values_list("busy", flat=True)
        assert sorted(found[someone.pk]) == sorted(minutes(b.lower, b.upper) for b in busy)
    assert sum(map(len, found.values())) == 30


def test_a_clinic_that_lost_its_zone_is_read_in_utc(provider: Provider) -> None:
    unfinished = ClinicFactory.create(time_zone=None, is_active=False)
    save_schedule(
        ProviderSchedule(
            provider=provider,
            clinic=unfinished,
            day_of_week=6,
            start_time=time(8),
            end_time=time(9),
            valid_from=MONDAY,
        )
    )
    zones = {window.clinic: window.zone for window in read(provider).windows[provider.pk]}
    assert zones[unfinished.pk] == unfinished.zone == ZoneInfo("UTC")
