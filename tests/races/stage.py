"""One clinic that never closes, its providers and patients, and a fresh hour for every round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, Provider, ProviderSchedule, VisitType, Weekday
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import SchedulingError
from scheduling.models import Appointment, SlotHold
from tests.factories import (
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    UserFactory,
    VisitTypeFactory,
    hold_of,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
MOST = 50


@dataclass
class Stage:
    """Visits take ten minutes; each round has an hour to itself."""

    clinic: Clinic
    visit_type: VisitType
    providers: list[Provider]
    patients: list[Patient]
    desk: Actor

    def __post_init__(self) -> None:
        # Tomorrow may begin too soon to be booked, late in the evening.
        first = timezone.now().astimezone(UTC).date() + timedelta(days=2)
        self._opening = datetime.combine(first, time(0), UTC)
        self._hours = count()

    @property
    def provider(self) -> Provider:
        return self.providers[0]

    def fresh_hour(self) -> datetime:
        return self._opening + next(self._hours) * HOUR

    def book(
        self, start: datetime, *, patient: int = 0, provider: int = 0, **more: Any
    ) -> Appointment:
        values: dict[str, Any] = {"override": "URGENT", "by": self.desk} | more
        return booking.book(
            patient=self.patients[patient],
            provider=self.providers[provider],
            clinic=self.clinic,
            visit_type=self.visit_type,
            start=start,
            now=timezone.now(),
            **values,
        )

    def hold(self, start: datetime, *, holder: int) -> SlotHold:
        return hold_of(
            self.provider, self.visit_type, start, holder=f"browser{holder}", by=self.desk
        )

    def bookings(self, starts: Sequence[datetime], **more: Any) -> list[Callable[[], object]]:
        """Return one booking at each start, each for another patient."""
        return [partial(self.book, start, patient=n, **more) for n, start in enumerate(starts)]


def set_up() -> Stage:
    clinic = ClinicFactory.create(time_zone__name="UTC")
    providers = ProviderFactory.create_batch(MOST, clinic=clinic)
    with transaction.atomic():
        ProviderSchedule.objects.bulk_create(
            [always(provider, weekday) for provider in providers for weekday in Weekday]
        )
        bump(provider.pk for provider in providers)
    return Stage(
        clinic=clinic,
        visit_type=VisitTypeFactory.create(minutes=10, horizon_days=20_000),
        providers=providers,
        patients=PatientFactory.create_batch(MOST, clinic=clinic),
        desk=Actor.staff(UserFactory.create().pk),
    )


def always(provider: Provider, weekday: Weekday) -> ProviderSchedule:
    """Return hours from midnight to midnight."""
    return ProviderSchedule(
        provider=provider,
        clinic=provider.clinic,
        day_of_week=weekday,
        start_time=time(0),
        end_time=time(0),
        valid_from=date(2020, 1, 1),
    )


def won(answers: Sequence[object]) -> list[object]:
    """Return what was achieved; an error that is no refusal, a deadlock say, is raised here."""
    for answer in answers:
        if isinstance(answer, Exception) and not isinstance(answer, SchedulingError):
            raise answer
    return [answer for answer in answers if not isinstance(answer, Exception)]


def lost(answers: Sequence[object]) -> list[type[object]]:
    """Return the kinds of refusals."""
    return [type(answer) for answer in answers if isinstance(answer, SchedulingError)]


OVERLAPS = """
SELECT count(*) FILTER (WHERE one.provider_id = other.provider_id
                        AND one.overbook_lane = other.overbook_lane AND one.busy && other.busy),
       count(*) FILTER (WHERE one.patient_id = other.patient_id
                        AND tstzrange(one.scheduled_start, one.scheduled_end)
                            && tstzrange(other.scheduled_start, other.scheduled_end))
FROM scheduling_appointment AS one JOIN scheduling_appointment AS other
    ON one.id < other.id AND one.busy && other.busy
    AND (one.provider_id = other.provider_id OR one.patient_id = other.patient_id)
WHERE one.status <> 'CANCELLED' AND other.status <> 'CANCELLED'
"""
SHADOWED = """
SELECT count(*) FROM scheduling_slothold AS held JOIN scheduling_appointment AS visit
    ON visit.provider_id = held.provider_id AND visit.busy && held.busy
WHERE held.expires_at > clock_timestamp() AND visit.status <> 'CANCELLED'
    AND visit.overbook_lane = 0
"""
TWICE_HELD = """
SELECT count(*) FROM scheduling_slothold AS one JOIN scheduling_slothold AS other
    ON one.id < other.id AND one.provider_id = other.provider_id AND one.busy && other.busy
WHERE least(one.expires_at, other.expires_at) > clock_timestamp()
"""


def assert_sound() -> None:
    """Ask the rows themselves: nobody is in two places, no time is kept for two."""
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS)
        assert cursor.fetchone() == (0, 0)
        for question in (SHADOWED, TWICE_HELD):
            cursor.execute(question)
            assert cursor.fetchone() == (0,)
