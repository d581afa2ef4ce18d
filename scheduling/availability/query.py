"""What is looked for, and what is found: a search's words, without its work."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from uuid import UUID

from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of the answers, from which the next page goes on.

    `provider` is the last one shown of those who are free at `start`, and `clinic` the last of
    the clinics at which that one is free then; None means all of them.
    """

    start: datetime
    provider: UUID
    clinic: UUID | None = field(default=None, compare=False)

    def __str__(self) -> str:
        clinic = "" if self.clinic is None else f"_{self.clinic.hex}"
        return f"{self.start.astimezone(UTC):%Y%m%dT%H%MZ}_{self.provider.hex}{clinic}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a place from an address. Raises ValueError on anything else."""
        start, provider, *clinic = text.split("_", maxsplit=2)
        return cls(
            datetime.strptime(start, "%Y%m%dT%H%MZ").replace(tzinfo=UTC),
            UUID(hex=provider),
            UUID(hex=clinic[0]) if clinic else None,
        )


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for. Dates and times are on the clinic's wall clock; empty means any."""

    visit_type: VisitType
    first_day: date
    last_day: date
    clinics: tuple[Clinic, ...]
    provider: Provider | None = None
    specialty: Specialty | None = None
    insurance_plan: InsurancePlan | None = None
    language: str = ""
    telehealth: bool = False
    new_patient: bool = False
    weekdays: frozenset[int] = frozenset()
    not_before: time | None = None
    not_after: time | None = None


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A time that can be booked: UTC instants, half-open."""

    start: datetime
    end: datetime
    provider: Provider
    clinic: Clinic

    @property
    def place(self) -> Place:
        return Place(self.start, self.provider.pk, self.clinic.pk)

    @property
    def local_start(self) -> datetime:
        """The start on the clinic's wall clock."""
        return self.start.astimezone(self.clinic.zone)

    @property
    def local_end(self) -> datetime:
        return self.end.astimezone(self.clinic.zone)


@dataclass(frozen=True, slots=True)
class DayOpenings:
    """How many different times a day has to offer, and the first of them."""

    day: date
    count: int
    first: FreeSlot
