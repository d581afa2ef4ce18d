"""Who waited at Riverside Clinic in the last three months. Draws from names; writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from patients.models import Patient
from providers.models import Provider, VisitType
from scheduling.models import Appointment, WaitlistEntry
from scheduling.seeding.cast import Clinician
from scheduling.seeding.diary import Diary
from scheduling.seeding.opening import Team
from scheduling.waitlist.ranking import Waiting

DAY = timedelta(days=1)
OF_EACH_SPECIALTY = 22
EXISTING = 0.8
WANTS_ONE_PROVIDER = 0.4
Status = WaitlistEntry.Status


@dataclass
class Waiter:
    """Somebody who waited then, as the row that will tell of it; an offer of theirs stood until
    `busy_until`."""

    entry: WaitlistEntry
    specialty: UUID | None
    busy_until: datetime

    @property
    def waiting(self) -> Waiting:
        """What the product's own order looks at."""
        return Waiting(
            entry=self.entry.pk,
            is_urgent=self.entry.urgency == WaitlistEntry.Urgency.URGENT,
            is_existing=self.entry.is_existing_patient,
            since=self.entry.created_at,
        )

    def could_take(self, freed: Appointment, at: datetime) -> bool:
        """Say whether the time of a visit could be offered to them at an instant."""
        entry = self.entry
        if (
            entry.ended_at is None
            or not max(entry.created_at, self.busy_until) <= at < entry.ended_at
        ):
            return False
        if entry.status == Status.BOOKED or entry.patient_id == freed.patient_id:
            return False
        if entry.appointment_type_id != freed.appointment_type_id:
            return False
        if entry.provider_id is not None:
            return entry.provider_id == freed.provider_id
        return self.specialty == freed.provider.specialty_id


def waiters(team: Team, diary: Diary, *, now: datetime) -> list[Waiter]:
    """Return those who waited for somebody of each specialty; all of them have ended by now."""
    names = dict.fromkeys(clinician.specialty for _provider, clinician in team.providers)
    return [waiter for name in names for waiter in _of_specialty(team, diary, name, now)]


def _of_specialty(team: Team, diary: Diary, name: str, now: datetime) -> Iterator[Waiter]:
    people = [(p, c) for p, c in team.providers if c.specialty == name]
    draw = Random(f"waited {name}")  # noqa: S311 - invented people
    for patient in draw.sample(diary.pools[name], OF_EACH_SPECIALTY):
        provider, clinician = draw.choice(people)
        yield _waiter(team, patient, provider, _kind(team, clinician, draw), draw, now)


def _kind(team: Team, clinician: Clinician, draw: Random) -> VisitType:
    """Return a type of visit, those that are seen most often the most often."""
    codes = [code for code in clinician.types if code in team.types]
    weights = [2 ** (len(codes) - place) for place in range(len(codes))]
    return team.types[draw.choices(codes, weights)[0]]


def _waiter(
    team: Team,
    patient: Patient,
    provider: Provider,
    kind: VisitType,
    draw: Random,
    now: datetime,
) -> Waiter:
    joined = now - draw.uniform(8, 110) * DAY
    left = min(joined + draw.uniform(25, 75) * DAY, now - draw.uniform(0.2, 2.5) * DAY)
    first = joined.astimezone(team.clinic.zone).date()
    over = draw.random() < 0.5
    wants_one = draw.random() < WANTS_ONE_PROVIDER
    entry = WaitlistEntry(
        patient=patient,
        clinic=team.clinic,
        provider=provider if wants_one else None,
        specialty_id=None if wants_one else provider.specialty_id,
        appointment_type=kind,
        earliest_desired_date=first,
        latest_date=left.astimezone(team.clinic.zone).date() - DAY if over else None,
        urgency=draw.choices([*WaitlistEntry.Urgency], [9, 1])[0].value,
        is_existing_patient=draw.random() < EXISTING,
        source=draw.choice([*WaitlistEntry.Source]).value,
        created_at=joined,
        status=(Status.EXPIRED if over else Status.LEFT).value,
        ended_at=left,
    )
    return Waiter(entry, provider.specialty_id, joined)
