"""What comes free because somebody works more is written down, and nothing else is."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from providers import hours
from providers.models import Clinic, ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType
from scheduling import hours_openings
from scheduling.models import Opening, WaitlistEntry
from scheduling.openings import interval_of
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    VisitTypeFactory,
    at,
    next_monday,
)
from tests.factories.times import NEW_YORK
from tests.factories.waitlist import entry_of, opening_of
from tests.refusals import commit_checks

pytestmark = pytest.mark.django_db
MONDAY = next_monday(1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def waits(provider: Provider, visit_type: VisitType) -> WaitlistEntry:
    """Somebody waits at the clinic."""
    return entry_of(provider=provider, visit_type=visit_type)


@pytest.fixture
def leave(provider: Provider) -> TimeOff:
    """Monday from ten until the end of Tuesday."""
    start, end = at(MONDAY, "10:00"), at(MONDAY + 2 * DAY, "00:00")
    return hours.save_time_off(
        TimeOff(provider=provider, start_datetime=start, end_datetime=end, reason="CME")
    )


def opened(**which: Any) -> list[str]:
    """Return each opening as "Mon 10:00-17:00", by New York's clocks."""
    found = [interval_of(row.span) for row in Opening.objects.filter(**which).order_by("span")]
    return [
        f"{one.start.astimezone(NEW_YORK):%a %H:%M}-{one.end.astimezone(NEW_YORK):%H:%M}"
        for one in found
    ]


def test_time_off_taken_back_opens_its_working_time_day_by_day(
    leave: TimeOff, waits: WaitlistEntry, provider: Provider
) -> None:
    hours.remove_time_off(leave)
    assert opened() == ["Mon 10:00-17:00", "Tue 08:00-17:00"]
    opening = Opening.objects.first()
    assert opening is not None
    assert (opening.cause, opening.state, opening.visit_type) == ("LEAVE", "OPEN", None)
    assert (opening.provider, opening.clinic) == (provider, provider.clinic)
    commit_checks()


def test_time_off_that_is_shortened_opens_what_it_gives_back(
    leave: TimeOff, waits: WaitlistEntry
) -> None:
    leave.start_datetime, leave.end_datetime = at(MONDAY, "12:00"), at(MONDAY + DAY, "15:00")
    hours.save_time_off(leave)
    assert opened() == ["Mon 10:00-12:00", "Tue 15:00-17:00"]


def test_time_off_that_is_moved_opens_where_it_was(leave: TimeOff, waits: WaitlistEntry) -> None:
    leave.start_datetime, leave.end_datetime = leave.start_datetime + DAY, leave.end_datetime + DAY
    hours.save_time_off(leave)
    assert opened() == ["Mon 10:00-17:00", "Tue 08:00-10:00"]


def test_time_off_given_to_a_colleague_opens_all_of_it(
    leave: TimeOff, waits: WaitlistEntry, clinic: Clinic
) -> None:
    leave.provider = ProviderFactory.create(clinic=clinic, working=True)
    Opening.objects.all().delete()
    hours.save_time_off(leave)
    assert opened(provider=waits.provider) == opened() == ["Mon 10:00-17:00", "Tue 08:00-17:00"]


def test_time_off_that_is_longer_or_just_saved_opens_nothing(
    leave: TimeOff, waits: WaitlistEntry
) -> None:
    hours.save_time_off(leave)
    leave.end_datetime += DAY
    hours.save_time_off(leave)
    assert opened() == []


def test_a_closure_that_ends_sooner_opens_everybodys_time_there(
    provider: Provider, clinic: Clinic, waits: WaitlistEntry
) -> None:
    colleague = ProviderFactory.create(clinic=clinic, working=True)
    elsewhere = ProviderFactory.create(working=True)
    Opening.objects.all().delete()
    closure = hours.save_closure(
        ClinicClosure(
            clinic=clinic,
            start_datetime=at(MONDAY, "00:00"),
            end_datetime=at(MONDAY + DAY, "00:00"),
            label="Flood",
        )
    )
    closure.end_datetime = at(MONDAY, "13:00")
    hours.save_closure(closure)
    assert opened(provider=provider) == ["Mon 13:00-17:00"]
    assert opened(provider=colleague) == ["Mon 13:00-17:00"]
    hours.remove_closure(closure)
    assert opened(provider=colleague) == ["Mon 08:00-13:00", "Mon 13:00-17:00"]
    assert opened(provider=elsewhere) == []
    assert set(Opening.objects.values_list("cause", flat=True)) == {"LEAVE"}


def test_hours_that_grow_open_what_they_grew_by_on_every_day_to_come(
    provider: Provider, waits: WaitlistEntry
) -> None:
    tuesday = provider.schedules.get(day_of_week=1)
    tuesday.end_time = time(18)
    hours.save_schedule(tuesday)
    assert set(opened()) == {"Tue 17:00-18:00"}
    assert set(Opening.objects.values_list("cause", flat=True)) == {"HOURS"}
    days = sorted(interval_of(row.span).start for row in Opening.objects.all())
    assert len(days) in {8, 9}
    assert days[-1] - days[0] == (len(days) - 1) * 7 * DAY or NEW_YORK.utcoffset(
        days[0].replace(tzinfo=None)
    ) != NEW_YORK.utcoffset(days[-1].replace(tzinfo=None))


def test_new_hours_open_all_of_them(provider: Provider, waits: WaitlistEntry) -> None:
    ProviderScheduleFactory.create(
        provider=provider, day_of_week=5, valid_from=MONDAY, valid_until=MONDAY + 6 * DAY
    )
    assert opened() == ["Sat 08:00-17:00"]


def test_hours_that_shrink_end_or_only_allow_more_open_nothing(
    provider: Provider, waits: WaitlistEntry, visit_type: VisitType
) -> None:
    monday, tuesday = provider.schedules.order_by("day_of_week")[:2]
    monday.end_time = time(12)
    hours.save_schedule(monday, visit_types=[visit_type])
    hours.save_schedule(monday, visit_types=[])
    hours.remove_schedule(tuesday)
    assert opened() == []


def test_hours_that_are_used_again_open_them(provider: Provider, waits: WaitlistEntry) -> None:
    monday = provider.schedules.get(day_of_week=0)
    monday.is_active, monday.valid_from, monday.valid_until = False, MONDAY, MONDAY
    hours.save_schedule(monday)
    assert opened() == []
    monday.is_active = True
    hours.save_schedule(monday)
    assert opened() == ["Mon 08:00-17:00"]


def test_windows_that_trade_places_open_what_is_new_alone(
    provider: Provider, waits: WaitlistEntry
) -> None:
    monday, tuesday = provider.schedules.order_by("day_of_week")[:2]
    hours.change_schedules(
        saved=[
            (_with(monday, day_of_week=1, end_time=time(18)), None),
            (_with(tuesday, day_of_week=0), None),
        ]
    )
    assert set(opened()) == {"Tue 17:00-18:00"}


def _with(schedule: ProviderSchedule, **values: Any) -> ProviderSchedule:
    for name, value in values.items():
        setattr(schedule, name, value)
    return schedule


def test_what_is_booked_with_its_buffers_stays_closed(
    leave: TimeOff, waits: WaitlistEntry, provider: Provider
) -> None:
    buffered = VisitTypeFactory.create(buffer_before_minutes=10, buffer_after_minutes=20)
    hours.remove_time_off(leave)
    Opening.objects.all().delete()
    AppointmentFactory.create(provider=provider, visit_type=buffered, start=at(MONDAY, "12:00"))
    hours.save_time_off(leave)
    hours.remove_time_off(leave)
    assert opened()[:2] == ["Mon 10:00-11:50", "Mon 12:50-17:00"]


def test_other_absences_stay_closed(
    leave: TimeOff, waits: WaitlistEntry, provider: Provider
) -> None:
    tuesday = {
        "start_datetime": at(MONDAY + DAY, "09:00"),
        "end_datetime": at(MONDAY + DAY, "10:00"),
    }
    hours.save_time_off(TimeOff(provider=provider, reason="SICK", **tuesday))
    monday = {"start_datetime": at(MONDAY, "08:00"), "end_datetime": at(MONDAY, "11:00")}
    hours.save_closure(ClinicClosure(clinic=provider.clinic, label="Storm", **monday))
    hours.remove_time_off(leave)
    assert opened() == ["Mon 11:00-17:00", "Tue 08:00-09:00", "Tue 10:00-17:00"]


def test_what_is_open_already_is_not_opened_twice(
    leave: TimeOff, waits: WaitlistEntry, provider: Provider
) -> None:
    opening_of(provider, at(MONDAY, "10:00"), minutes=60)
    hours.remove_time_off(leave)
    assert opened() == ["Mon 10:00-11:00", "Mon 11:00-17:00", "Tue 08:00-17:00"]


def test_time_that_has_begun_is_opened_from_the_next_minute_on(
    leave: TimeOff, waits: WaitlistEntry
) -> None:
    with time_machine.travel(at(MONDAY, "12:29") + timedelta(seconds=30), tick=False):
        hours.remove_time_off(leave)
    assert opened() == ["Mon 12:30-17:00", "Tue 08:00-17:00"]


def test_less_than_five_minutes_is_not_worth_an_opening(
    leave: TimeOff, waits: WaitlistEntry
) -> None:
    leave.start_datetime += 4 * MINUTE
    hours.save_time_off(leave)
    assert opened() == []
    leave.start_datetime += 5 * MINUTE
    hours.save_time_off(leave)
    assert opened() == ["Mon 10:04-10:09"]


def test_days_beyond_the_furthest_that_can_be_booked_are_left_out(
    provider: Provider, waits: WaitlistEntry, now: datetime
) -> None:
    today = now.astimezone(NEW_YORK).date()
    years = {"start_datetime": now + DAY, "end_datetime": now + 900 * DAY}
    away = hours.save_time_off(TimeOff(provider=provider, reason="CME", **years))
    hours.remove_time_off(away)
    assert _last_day() == _last_workday(today + 60 * DAY)
    Opening.objects.all().delete()
    VisitType.objects.update(horizon_days=10)
    hours.save_time_off(away)
    hours.remove_time_off(away)
    assert _last_day() == _last_workday(today + 10 * DAY)


def _last_day() -> date:
    last = Opening.objects.order_by("span").last()
    assert last is not None
    return interval_of(last.span).start.astimezone(NEW_YORK).date()


def _last_workday(day: date) -> date:
    return day - max(0, day.weekday() - 4) * DAY


def test_nothing_is_opened_where_nobody_waits(leave: TimeOff, provider: Provider) -> None:
    entry_of(provider=ProviderFactory.create(working=True))
    entry_of(provider=provider, status=WaitlistEntry.Status.PAUSED)
    with CaptureQueriesContext(connection) as asked:
        hours.remove_time_off(leave)
    assert opened() == []
    assert len([one for one in asked if "WITH" not in one["sql"]]) <= 16


def test_a_provider_who_takes_no_appointments_opens_nothing(
    leave: TimeOff, waits: WaitlistEntry, provider: Provider
) -> None:
    provider.is_active = False
    hours.save_provider(provider)
    hours.remove_time_off(leave)
    assert opened() == []


def test_hours_at_another_clinic_belong_to_it(
    provider: Provider, waits: WaitlistEntry, visit_type: VisitType
) -> None:
    west = ClinicFactory.create(time_zone__name="America/Los_Angeles")
    ProviderScheduleFactory.create(
        provider=provider, clinic=west, day_of_week=5, end_time=time(9), valid_from=MONDAY
    )
    assert opened() == []
    entry_of(provider=provider, clinic=west, visit_type=visit_type)
    saturday = at(MONDAY + 5 * DAY, "00:00")
    away = TimeOff(
        provider=provider, start_datetime=saturday, end_datetime=saturday + DAY, reason="CME"
    )
    hours.remove_time_off(hours.save_time_off(away))
    assert opened() == ["Sat 11:00-12:00"]
    assert Opening.objects.get().clinic == west


def test_a_stretch_across_midnight_is_two_openings(clinic: Clinic, waits: WaitlistEntry) -> None:
    night = ProviderFactory.create(clinic=clinic)
    monday = {"provider": night, "day_of_week": 0, "valid_from": MONDAY, "valid_until": MONDAY}
    tuesday = monday | {
        "day_of_week": 1,
        "valid_from": MONDAY + DAY,
        "valid_until": MONDAY + DAY,
    }
    ProviderScheduleFactory.create(**monday, start_time=time(20), end_time=time(0))
    ProviderScheduleFactory.create(**tuesday, start_time=time(0), end_time=time(4))
    Opening.objects.all().delete()
    evening = at(MONDAY, "22:00")
    away = TimeOff(
        provider=night, start_datetime=evening, end_datetime=evening + 4 * HOUR, reason="SICK"
    )
    hours.remove_time_off(hours.save_time_off(away))
    assert opened() == ["Mon 22:00-00:00", "Tue 00:00-02:00"]


def test_the_first_ones_are_kept_where_there_are_too_many(
    provider: Provider,
    waits: WaitlistEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(hours_openings, "MOST", 2)
    week = {
        "start_datetime": at(MONDAY, "00:00"),
        "end_datetime": at(MONDAY + 7 * DAY, "00:00"),
    }
    hours.remove_time_off(hours.save_time_off(TimeOff(provider=provider, reason="CME", **week)))
    assert opened() == ["Mon 08:00-17:00", "Tue 08:00-17:00"]
    (line,) = caplog.records
    assert (line.message, line.__dict__["rows"]) == ("openings.left_out", 3)


def test_the_engine_is_called_once_however_much_came_free(
    leave: TimeOff,
    waits: WaitlistEntry,
    provider: Provider,
    jobs_wait: None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        hours.remove_time_off(leave)
        ProviderScheduleFactory.create(provider=provider, day_of_week=5)
    assert [row.func() for row in OrmQ.objects.all()] == ["scheduling.tasks.offer"]


@pytest.mark.parametrize("colleagues", [1, 12])
def test_a_closure_of_many_costs_what_one_of_one_costs(
    clinic: Clinic, provider: Provider, waits: WaitlistEntry, colleagues: int
) -> None:
    ProviderFactory.create_batch(colleagues, clinic=clinic, working=True)
    Opening.objects.all().delete()
    span = {"start_datetime": at(MONDAY, "00:00"), "end_datetime": at(MONDAY + 9 * DAY, "00:00")}
    closure = hours.save_closure(ClinicClosure(clinic=clinic, label="Flood", **span))
    with CaptureQueriesContext(connection) as asked:
        hours.remove_closure(closure)
    assert Opening.objects.count() == 7 * (colleagues + 1)
    assert len(asked) <= 20, "\n".join(one["sql"][:200] for one in asked)
