"""Two clinics in two zones, three providers and four lengths of visits, around a block's seam."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import TypeVar
from zoneinfo import ZoneInfo

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType, Weekday
from scheduling.availability import Query
from scheduling.models import Appointment, SlotHold
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    SpecialtyFactory,
    TimeZoneFactory,
    VisitTypeFactory,
    next_monday,
    someone_at_the_desk,
)

R = TypeVar("R", Clinic, Provider, VisitType)
DAY = timedelta(days=1)
ZONES = (
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Phoenix",
    "Asia/Kathmandu",
)
# Length, buffer before, buffer after, notice in minutes, horizon in days.
KINDS = [(15, 0, 0, 0, 30), (20, 5, 10, 60, 2), (45, 0, 15, 24 * 60, 30), (None, 0, 5, 60, 4)]
_name = count()


def next_change(zone: str, *, after: date) -> date:
    """Return the first date on or after `after` on which the zone's clocks change."""
    place = ZoneInfo(zone)

    def offset(day: date) -> timedelta | None:
        return datetime.combine(day, time(0), place).utcoffset()

    return next(
        day for day in (after + n * DAY for n in range(400)) if offset(day) != offset(day + DAY)
    )


def mondays() -> list[date]:
    """Return Mondays to come: a plain one, and those after a change of clocks, each way."""
    soon = next_monday(2)
    found = [soon]
    for zone in ("America/New_York", "Australia/Lord_Howe"):
        first = next_change(zone, after=soon)
        second = next_change(zone, after=first + DAY)
        found += [first + DAY, second + DAY]
    return found


class Town:
    """Whose time is asked for, and around which Monday."""

    def __init__(self, monday: date, other_zone: str) -> None:
        for zone in ZONES:
            TimeZoneFactory.create(name=zone)
        self.monday = monday
        self.here: Clinic = ClinicFactory.create()
        self.there: Clinic = ClinicFactory.create(time_zone__name=other_zone)
        self.specialty = SpecialtyFactory.create()
        self.providers = self._providers()
        self.types: list[VisitType] = [
            VisitTypeFactory.create(
                minutes=minutes,
                buffer_before_minutes=before,
                buffer_after_minutes=after,
                minimum_notice_minutes=notice,
                horizon_days=horizon,
            )
            for minutes, before, after, notice, horizon in KINDS
        ]
        self.patients: list[Patient] = PatientFactory.create_batch(4, clinic=self.here)
        self.desk = someone_at_the_desk()
        self._give_hours()

    def _providers(self) -> list[Provider]:
        """Two share a name; each speaks another language, and one offers video."""
        name = f"Dr. Amber {next(_name)}"
        homes = [(self.here, name, "en"), (self.here, "Dr. Birch", "es"), (self.there, name, "en")]
        return [
            ProviderFactory.create(
                clinic=clinic,
                name=called,
                specialty=self.specialty,
                languages=[language],
                offers_telehealth=clinic == self.there,
            )
            for clinic, called, language in homes
        ]

    def _give_hours(self) -> None:
        first, second, third = self.providers
        sunday, monday, tuesday = Weekday.SUNDAY, Weekday.MONDAY, Weekday.TUESDAY
        for provider, clinic, weekday, opens, closes, step in [
            (first, self.here, sunday, "16:00", "21:00", 30),
            (first, self.here, monday, "08:00", "10:00", 30),
            (first, self.here, monday, "10:00", "12:00", 20),
            (second, self.here, sunday, "19:00", "20:30", 15),
            (second, self.there, monday, "05:00", "08:00", 45),
            (third, self.there, sunday, "22:00", "00:00", 30),
            (third, self.there, monday, "00:00", "02:00", 30),
            (third, self.there, monday, "04:30", "07:00", 20),
        ]:
            ProviderScheduleFactory.create(
                provider=provider,
                clinic=clinic,
                day_of_week=weekday,
                start_time=time.fromisoformat(opens),
                end_time=time.fromisoformat(closes),
                slot_duration_minutes=step,
            )
        ProviderScheduleFactory.create(
            provider=second,
            clinic=self.here,
            day_of_week=tuesday,
            start_time=time(8),
            end_time=time(10),
            slot_duration_minutes=20,
            visit_types=self.types[:2],
        )

    def at(self, minutes: float) -> datetime:
        """Return an instant so many minutes from the seam: Monday 00:00 in UTC."""
        return datetime.combine(self.monday, time(0), UTC) + timedelta(minutes=minutes)

    @property
    def clinics(self) -> tuple[Clinic, Clinic]:
        return (self.here, self.there)

    def query(self, kind: int, **wanted: object) -> Query:
        """Ask for a kind of visit from Saturday to Wednesday, at both clinics."""
        fields = {
            "first_day": self.monday - 2 * DAY,
            "last_day": self.monday + 2 * DAY,
            "clinics": self.clinics,
        } | wanted
        return Query(visit_type=self.types[kind], **fields)  # type: ignore[arg-type]

    def refresh(self) -> None:
        """Read the clinics, providers and kinds of visits as their rows are now."""
        self.here, self.there = again(Clinic, [self.here, self.there])
        self.providers = again(Provider, self.providers)
        self.types = again(VisitType, self.types)

    def visits(self, *, live: bool) -> list[Appointment]:
        rows = Appointment.objects.filter(provider__in=self.providers).order_by("pk")
        return list(rows.live() if live else rows.exclude(pk__in=rows.live().values("pk")))

    def holds(self) -> list[SlotHold]:
        return list(SlotHold.objects.filter(provider__in=self.providers).order_by("pk"))


def again(model: type[R], rows: list[R]) -> list[R]:
    """Return the same rows as they are now."""
    found = model._default_manager.in_bulk([row.pk for row in rows])
    return [found[row.pk] for row in rows]
