"""Whatever is done to hours and absences, what is opened was not free before and is free now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID

import pytest
import time_machine
from django.db import IntegrityError
from django.db.models import Model

from providers import hours
from providers.models import ClinicClosure, Provider, ProviderSchedule, TimeOff
from scheduling.actors import Actor
from scheduling.booking import book
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, Opening
from scheduling.openings import interval_of
from tests.factories import ClinicFactory, PatientFactory, ProviderFactory, VisitTypeFactory, at
from tests.factories.waitlist import entry_of

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CELL = 15 * MINUTE
DAYS = 11
STEPS = 60
# In the second week New York's clocks go back an hour, Lord Howe's half an hour forward.
SEASONS = {
    "America/New_York": date(2026, 10, 24),
    "Australia/Lord_Howe": date(2026, 9, 26),
    "Asia/Kathmandu": date(2026, 6, 2),
}
Cell = tuple[UUID, UUID, datetime]
Row = TypeVar("Row", bound=Model)


class Town:
    """Two providers, two clinics of one zone, and all that can be done to their hours."""

    def __init__(self, zone: str, random: Random) -> None:
        self.clinics = [ClinicFactory.create(time_zone__name=zone) for _ in range(2)]
        self.providers = [ProviderFactory.create(clinic=self.clinics[0]) for _ in range(2)]
        self.zone, self.first, self.random = self.clinics[0].zone, SEASONS[zone], random
        self.now = at(self.first, "10:15", zone=self.zone)
        self.end = at(self.first + (DAYS + 1) * DAY, "00:00", zone=self.zone)
        self.kind = VisitTypeFactory.create(
            minutes=30, buffer_before_minutes=15, buffer_after_minutes=15, horizon_days=DAYS
        )
        for clinic in self.clinics:
            entry_of(provider=self.providers[0], clinic=clinic, visit_type=self.kind)

    def acts(self) -> dict[str, Callable[[], object]]:
        return {
            "adds hours": lambda: hours.save_schedule(self._hours(ProviderSchedule())),
            "changes hours": lambda: hours.save_schedule(self._hours(self._some(ProviderSchedule))),
            "shifts hours": lambda: hours.save_schedule(self._shift(self._some(ProviderSchedule))),
            "removes hours": lambda: hours.remove_schedule(self._some(ProviderSchedule)),
            "trades hours": self._trade,
            "goes away": lambda: hours.save_time_off(self._away(TimeOff())),
            "moves time off": lambda: hours.save_time_off(self._away(self._some(TimeOff))),
            "comes back": lambda: hours.remove_time_off(self._some(TimeOff)),
            "closes": lambda: hours.save_closure(self._closed(ClinicClosure())),
            "moves a closure": lambda: hours.save_closure(self._closed(self._some(ClinicClosure))),
            "opens": lambda: hours.remove_closure(self._some(ClinicClosure)),
            "books": self._book,
        }

    def _some(self, model: Any) -> Any:
        rows = list(model.objects.order_by("pk"))
        if not rows:
            raise LookupError
        return self.random.choice(rows)

    def _hours(self, row: ProviderSchedule) -> ProviderSchedule:
        opens = self.random.randrange(0, 80)
        closes = self.random.randrange(opens + 12, 97) % 96
        row.provider, row.clinic = self._who(), self.random.choice(self.clinics)
        row.day_of_week = self.random.randrange(7)
        row.start_time, row.end_time = (time(n // 4, n % 4 * 15) for n in (opens, closes))
        row.valid_from = self.first + self.random.randrange(-9, 3) * DAY
        row.valid_until = self.random.choice([None, None, row.valid_from + 7 * DAY])
        row.is_active = self.random.random() < 0.9
        return row

    def _shift(self, row: ProviderSchedule) -> ProviderSchedule:
        """Let the same hours begin or end a little sooner or later."""
        name = self.random.choice(["start_time", "end_time"])
        clock: time = getattr(row, name)
        quarters = clock.hour * 4 + clock.minute // 15 + self.random.randrange(-6, 7)
        if not 0 <= quarters < 96:
            raise LookupError
        return _with(row, **{name: time(quarters // 4, quarters % 4 * 15)})

    def _trade(self) -> None:
        saved = [(self._hours(self._some(ProviderSchedule)), None) for _ in range(2)]
        if saved[0][0].pk != saved[1][0].pk:
            hours.change_schedules(saved=saved, removed=[])

    def _who(self) -> Provider:
        return self.random.choice(self.providers)

    def _span(self) -> dict[str, datetime]:
        start = self.now + self.random.randrange(-60, DAYS * 96) * CELL
        length = self.random.choice([4, 30, 100, 400]) * CELL
        return {"start_datetime": start, "end_datetime": start + length}

    def _away(self, row: TimeOff) -> TimeOff:
        return _with(row, provider=self._who(), reason="CME", **self._span())

    def _closed(self, row: ClinicClosure) -> ClinicClosure:
        return _with(row, clinic=self.random.choice(self.clinics), label="Shut", **self._span())

    def _book(self) -> None:
        free = sorted(self.free(), key=lambda cell: (cell[2], str(cell)))
        if not free:
            raise LookupError
        who, where, start = self.random.choice(free)
        book(
            patient=PatientFactory.create(clinic=self.clinics[0]),
            provider=next(each for each in self.providers if each.pk == who),
            clinic=next(each for each in self.clinics if each.pk == where),
            visit_type=self.kind,
            start=start,
            by=Actor.staff(self.providers[0].user_id or 0),
            now=self.now,
        )

    def free(self) -> set[Cell]:
        """Look at every quarter of an hour: worked by the wall clock, nobody away, none booked."""
        found = set()
        for row in ProviderSchedule.objects.filter(is_active=True):
            for cell in self._cells():
                if _is_worked(row, cell.astimezone(self.zone)):
                    found.add((row.provider_id, row.clinic_id, cell))
        taken = self._taken()
        return {(who, where, cell) for who, where, cell in found if not taken(who, where, cell)}

    def _taken(self) -> Callable[[UUID, UUID, datetime], bool]:
        away = [(r.provider_id, r.start_datetime, r.end_datetime) for r in TimeOff.objects.all()]
        shut = [
            (r.clinic_id, r.start_datetime, r.end_datetime) for r in ClinicClosure.objects.all()
        ]
        busy = [
            (row.provider_id, row.busy.lower, row.busy.upper)
            for row in Appointment.objects.defer("reason_for_visit")
        ]

        def is_taken(who: UUID, where: UUID, cell: datetime) -> bool:
            mine = [span for whose, *span in [*away, *busy] if whose == who]
            mine += [span for whose, *span in shut if whose == where]
            return any(start < cell + CELL and cell < end for start, end in mine)

        return is_taken

    def _cells(self) -> Iterator[datetime]:
        cell = self.now
        while cell < self.end:
            yield cell
            cell += CELL


def _with(row: Row, **values: Any) -> Row:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _is_worked(row: ProviderSchedule, reading: datetime) -> bool:
    ends = row.end_time if row.end_time != time(0) else time.max
    return (
        row.day_of_week == reading.weekday()
        and row.is_valid_on(reading.date())
        and row.start_time <= reading.time() < ends
    )


def opened() -> list[Cell]:
    found = []
    for row in Opening.objects.all():
        span = interval_of(row.span)
        count, rest = divmod(span.end - span.start, CELL)
        assert not rest
        found += [(row.provider_id, row.clinic_id, span.start + n * CELL) for n in range(count)]
    return found


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("zone", SEASONS)
def test_what_is_opened_was_not_free_before_and_is_free_now(zone: str, seed: int) -> None:
    random = Random(f"{zone} {seed}")
    town = Town(zone, random)
    acts, done, came_free = town.acts(), 0, 0
    with time_machine.travel(town.now, tick=False):
        free = town.free()
        for step in range(STEPS):
            name = random.choice(list(acts)[:1] if step < 12 else list(acts))
            try:
                acts[name]()
            except (LookupError, SchedulingError, IntegrityError):
                continue
            before, free = free, town.free()
            cells = opened()
            assert len(cells) == len(set(cells)), name
            assert set(cells) == free - before, name
            Opening.objects.all().delete()
            done, came_free = done + 1, came_free + len(cells)
    assert done >= STEPS // 3
    assert came_free > 100
