"""Decides who would see whom on a day at Riverside Clinic. Draws from the date; writes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

from patients.models import Patient
from providers.models import ClinicClosure, Provider, ProviderSchedule, TimeOff, VisitType
from scheduling.intervals import Interval
from scheduling.seeding import cast
from scheduling.seeding.opening import Team
from scheduling.seeding.patients import is_child
from scheduling.windows import Window, starts

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """A visit to be written: UTC instants, `draw` for whatever is left to chance about it.

    One of a full day `is_kept`: nobody cancels.
    """

    provider: Provider
    patient: Patient
    visit_type: VisitType
    start: datetime
    reason: str
    draw: Random
    is_kept: bool

    @property
    def end(self) -> datetime:
        return self.start + (self.visit_type.minutes or 20) * MINUTE

    @property
    def busy(self) -> Interval:
        return Interval(self.start, self.end + self.visit_type.buffer_after_minutes * MINUTE)


@dataclass
class Diary:
    """The clinic's hours and absences, and who came how often so that visits spread evenly."""

    team: Team
    windows: dict[UUID, list[Window]]
    away: dict[UUID, list[Interval]]
    pools: dict[str, list[Patient]]
    visits: Counter[UUID] = field(default_factory=Counter)

    def plan(self, day: date, loads: dict[UUID, float]) -> list[Planned]:
        """Return a day's visits; `loads` is the share of each provider's time that is taken."""
        seen: set[UUID] = set()
        return [
            planned
            for provider, clinician in self.team.providers
            if loads.get(provider.pk)
            for planned in self._plan_provider(provider, clinician, day, loads[provider.pk], seen)
        ]

    def _plan_provider(
        self,
        provider: Provider,
        clinician: cast.Clinician,
        day: date,
        load: float,
        seen: set[UUID],
    ) -> list[Planned]:
        draw = Random(f"{clinician.login} {day}")  # noqa: S311 - invented visits
        found: list[Planned] = []
        free_from: datetime | None = None
        for start, last in self._grid(provider, day):
            if (free_from and start < free_from) or draw.random() > load:
                continue
            kind = self._kind(clinician, start, last, draw)
            patient = self._patient(clinician.specialty, seen, draw) if kind else None
            if kind is None or patient is None:
                continue
            reason = draw.choice(cast.REASONS[clinician.specialty])
            planned = Planned(provider, patient, kind, start, reason, draw, load >= 1)
            if any(planned.busy.overlaps(span) for span in self.away[provider.pk]):
                continue
            free_from = planned.busy.end
            seen.add(patient.pk)
            self.visits[patient.pk] += 1
            found.append(planned)
        return found

    def _grid(self, provider: Provider, day: date) -> list[tuple[datetime, datetime]]:
        """Return each start of the day with the end of its window, ascending."""
        grid = []
        for window in self.windows[provider.pk]:
            instants = starts(window, day)
            if instants:
                last = instants[-1] + window.step * MINUTE
                grid += [(instant, last) for instant in instants]
        return sorted(grid)

    def _kind(
        self, clinician: cast.Clinician, start: datetime, last: datetime, draw: Random
    ) -> VisitType | None:
        codes = [code for code in clinician.types if code in self.team.types]
        weights = [2 ** (len(codes) - place) for place in range(len(codes))]
        kind = self.team.types[draw.choices(codes, weights)[0]]
        if start + (kind.minutes or 20) * MINUTE <= last:
            return kind
        return next(
            (
                self.team.types[code]
                for code in codes
                if start + (self.team.types[code].minutes or 20) * MINUTE <= last
            ),
            None,
        )

    def _patient(self, specialty: str, seen: set[UUID], draw: Random) -> Patient | None:
        """Return the one of a few who was here least, if anybody has no other visit that day."""
        few = [p for p in draw.sample(self.pools[specialty], 12) if p.pk not in seen]
        return min(few, key=lambda patient: self.visits[patient.pk], default=None)


def open_diary(team: Team, patients: list[Patient], *, today: date) -> Diary:
    """Read the hours and absences of the clinic's people, in three queries."""
    ids = [provider.pk for provider, _ in team.providers]
    windows: dict[UUID, list[Window]] = {pk: [] for pk in ids}
    for row in ProviderSchedule.objects.filter(
        provider__in=ids, clinic=team.clinic, is_active=True
    ):
        windows[row.provider_id].append(_window(row, team))
    closed = [
        Interval(row.start_datetime, row.end_datetime)
        for row in ClinicClosure.objects.filter(clinic=team.clinic)
    ]
    away = {pk: list(closed) for pk in ids}
    for absence in TimeOff.objects.filter(provider__in=ids):
        away[absence.provider_id].append(Interval(absence.start_datetime, absence.end_datetime))
    children = [p for p in patients if is_child(p, today)]
    adults = [p for p in patients if not is_child(p, today)]
    pools = {name: children if name == "Pediatrics" else adults for name in cast.SPECIALTIES}
    return Diary(team, windows, away, pools)


def _window(row: ProviderSchedule, team: Team) -> Window:
    return Window(
        clinic=row.clinic_id,
        zone=team.clinic.zone,
        weekday=row.day_of_week,
        start=row.start_time,
        end=row.end_time,
        step=row.slot_duration_minutes,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )


def clocks_change(team: Team, day: date) -> bool:
    """Say whether the clinic's clocks are put forward or back on a day."""
    morning = datetime.combine(day, time(12), team.clinic.zone)
    return morning.utcoffset() != (morning - DAY).utcoffset()
