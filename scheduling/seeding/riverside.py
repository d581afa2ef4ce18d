"""Brings Riverside Clinic to the state of a given moment; days that have visits are left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models.functions import TruncDate
from django.utils.module_loading import import_string

from patients.models import Patient
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, Opening, WaitlistEntry
from scheduling.seeding import cast, waiting, week
from scheduling.seeding.diary import Diary, Planned, clocks_change, open_diary
from scheduling.seeding.doubles import register_doubles
from scheduling.seeding.history import write_history
from scheduling.seeding.offered import write_offers
from scheduling.seeding.opening import Team, find_clinic, open_clinic, team
from scheduling.seeding.patients import register_patients

DAY = timedelta(days=1)
PAST_DAYS = 400
WEEK_BEFORE = 6
FUTURE_DAYS = 35
Progress = Callable[[list[Planned]], Iterable[Planned]]


def is_open() -> bool:
    return find_clinic() is not None


def seed(*, now: datetime, say: Callable[[str], None], progress: Progress) -> None:
    """Open the clinic if it is not, and fill the days around `now` that are empty.

    `say` is told each step, `progress` wraps the visits that are booked one by one.
    """
    staff, patients, is_new = _people(now, say)
    zone = staff.clinic.zone
    today = now.astimezone(zone).date()
    diary = open_diary(staff, patients, today=today)
    taken = _days_with_visits(staff, today)
    past = [today - n * DAY for n in range(PAST_DAYS, 0, -1) if today - n * DAY not in taken]
    history = [visit for day in past for visit in diary.plan(day, _past_loads(diary, day, today))]
    if history:
        say(f"Writing a history of {len(history)} visits")
        write_history(history, desk=staff.desk)
    week.settle(staff, before=datetime.combine(today, time.min, zone))
    coming = [today + n * DAY for n in range(FUTURE_DAYS + 1) if today + n * DAY not in taken]
    visits = [v for day in coming for v in diary.plan(day, _coming_loads(diary, day, today))]
    if visits:
        say(f"Booking {len(visits)} visits of today and the weeks ahead")
    refusals = _book(staff, progress(visits), now=now)
    if is_new:
        week.add_exceptions(staff, diary, today=today, now=now)
    gaps = _waitlist(staff, diary, say, now=now)
    for path in settings.DEMO_SEEDERS:
        import_string(path)(staff.clinic, now=now)
    waiting.offer(gaps, now=now)
    if refusals:
        say(f"{len(refusals)} visits no longer fit the clinic's hours and were left out")


def _people(now: datetime, say: Callable[[str], None]) -> tuple[Team, list[Patient], bool]:
    clinic = find_clinic()
    if clinic is not None:
        on_file = Patient.objects.filter(clinic=clinic, merged_into=None, is_provisional=False)
        return team(clinic), list(on_file.order_by("pk")), False
    say("Opening Riverside Clinic: staff, hours, patients")
    today = now.astimezone(ZoneInfo(cast.TIME_ZONE)).date()
    with transaction.atomic():
        staff = team(open_clinic(today))
        patients = register_patients(staff, today=today, now=now)
        register_doubles(patients)
        return staff, patients, True


def _waitlist(
    staff: Team, diary: Diary, say: Callable[[str], None], *, now: datetime
) -> list[Opening]:
    """Let the clinic have a waitlist if it has none; return the gaps that are to be offered."""
    if WaitlistEntry.objects.filter(clinic=staff.clinic).exists():
        return []
    openings = write_offers(staff, diary, now=now)
    gaps = waiting.begin(staff, diary, now=now)
    say(f"Writing a waitlist: {openings} times that came free before, {len(gaps)} free now")
    return gaps


def _days_with_visits(staff: Team, today: date) -> set[date]:
    return set(
        Appointment.objects.filter(
            clinic=staff.clinic,
            scheduled_start__gt=datetime.combine(
                today - (PAST_DAYS + 2) * DAY, time.min, staff.clinic.zone
            ),
        )
        .annotate(day=TruncDate("scheduled_start", tzinfo=staff.clinic.zone))
        .order_by()
        .values_list("day", flat=True)
        .distinct()
    )


def _past_loads(diary: Diary, day: date, today: date) -> dict[UUID, float]:
    """A thin history, denser in the last week and on the days when clocks change."""
    if (today - day).days <= WEEK_BEFORE:
        load = 0.45
    else:
        load = 0.5 if clocks_change(diary.team, day) else 0.05
    return {provider.pk: load for provider, _ in diary.team.providers}


def _coming_loads(diary: Diary, day: date, today: date) -> dict[UUID, float]:
    """Today is busy, tomorrow the first provider is full, and later days fill up by and by."""
    ahead = (day - today).days
    load = 0.5 if ahead < 6 else max(0.05, 0.2 - ahead / 150)
    loads = {provider.pk: load for provider, _ in diary.team.providers}
    first = diary.team.providers[0][0].pk if diary.team.providers else None
    if first and ahead == 1:
        loads[first] = 1.0
    if first and ahead == 2:
        loads[first] = 0.25
    return loads


def _book(staff: Team, visits: Iterable[Planned], *, now: datetime) -> list[SchedulingError]:
    """Book them all; return the refusals, which a changed clinic may give."""
    refusals = []
    for visit in visits:
        try:
            week.book(visit, staff, now=now)
        except SchedulingError as refusal:
            refusals.append(refusal)
    return refusals
