"""A town whose clinics stand in three zones, and what is looked for in it.

Everybody works eight hours a day on a quarter-hour grid, in two stretches, every day of the week.
One in eleven fails one of the filters of `Town.query`; the town's size counts the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType
from scheduling.availability import Query

DAYS = 30
LANGUAGE = "es"
UNFIT_EACH = 11


def _next_monday() -> date:
    today = timezone.now().astimezone(UTC).date()
    return today + timedelta(days=7 - today.weekday())


MONDAY = _next_monday()
NOW = datetime.combine(MONDAY, time(11), UTC)  # before anybody's morning in New York


@dataclass(frozen=True, slots=True)
class Town:
    """What a search of the town names, and its providers in the order in which they came."""

    specialty: Specialty
    plan: InsurancePlan
    quarter: VisitType
    twenty: VisitType
    longer_than_any_hours: VisitType
    clinics: tuple[Clinic, ...] = ()
    providers: tuple[Provider, ...] = ()

    @property
    def fit(self) -> list[Provider]:
        """Those whom the filters of `query` leave."""
        return [who for number, who in enumerate(self.providers) if is_fit(number)]

    def query(self, kind: VisitType) -> Query:
        """Return a search of thirty days with every filter: weekday mornings, a first visit."""
        return Query(
            visit_type=kind,
            first_day=MONDAY,
            last_day=MONDAY + timedelta(days=DAYS - 1),
            clinics=self.clinics,
            specialty=self.specialty,
            insurance_plan=self.plan,
            language=LANGUAGE,
            new_patient=True,
            weekdays=frozenset(range(5)),
            not_before=time(9),
            not_after=time(12),
        )

    def month_of(self, provider: Provider, kind: VisitType) -> Query:
        """Return a search of thirty days of one provider, whatever the weekday and hour."""
        return Query(
            visit_type=kind,
            first_day=MONDAY,
            last_day=MONDAY + timedelta(days=DAYS - 1),
            clinics=(provider.clinic,),
            provider=provider,
        )


def is_fit(number: int) -> bool:
    """Whether the provider who came as this one, counted from nought, passes the filters."""
    return number % UNFIT_EACH != UNFIT_EACH - 1


def inhabitants(size: int) -> int:
    """Return how many providers there are in all where so many pass the filters."""
    return size + (size - 1) // (UNFIT_EACH - 1) if size else 0
