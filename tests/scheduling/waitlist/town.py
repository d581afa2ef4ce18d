"""Two providers, eight patients and a clock that stands still, on real rows; reads them as a model.

A week is a world of its own: its Monday morning has six half hours with each provider.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction
from psycopg.types.range import Range

from patients.models import Patient
from providers.calendars import bump
from providers.models import Clinic, Provider, VisitType, Weekday
from scheduling.models import (
    Appointment,
    Opening,
    SlotHold,
    WaitlistEntry,
    WaitlistOffer,
)
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    ProviderScheduleFactory,
    SpecialtyFactory,
    VisitTypeFactory,
    next_monday,
    someone_at_the_desk,
)
from tests.factories.waitlist import waitlist_policy
from tests.scheduling.waitlist import model
from tests.scheduling.waitlist.model import MINUTE, Held, Seen, Slot, Visit

PATIENTS, PROVIDERS, SLOTS = 8, 2, 6
EXISTING = {0, 1, 2}
HALF_HOUR, DAY = timedelta(minutes=30), timedelta(days=1)
STOP = """
CREATE SCHEMA stopped;
CREATE FUNCTION stopped.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT current_setting('stopped.clock')::timestamptz $$;
SET search_path = stopped, public, pg_catalog;
"""
VISITS = """
SELECT id, patient_id, provider_id, scheduled_start FROM scheduling_appointment
WHERE status <> 'CANCELLED' AND scheduled_start BETWEEN %s AND %s
"""
ENTRIES = "SELECT id, status FROM scheduling_waitlistentry"
OPENINGS = """
SELECT id, provider_id, span, state, ended, next_at, not_before FROM scheduling_opening ORDER BY id
"""
OFFERS = "SELECT id, entry_id, opening_id, status, expires_at FROM scheduling_waitlistoffer"
HOLDS = "SELECT holder, provider_id, visit_start, expires_at FROM scheduling_slothold"
SET = "SELECT set_config('stopped.clock', %s, false)"
START = "RESET search_path; DROP SCHEMA stopped CASCADE"


@contextmanager
def stopped_clock() -> Iterator[None]:
    """Let the database ask a clock of ours instead of its own, on this connection."""
    with connection.cursor() as cursor:
        cursor.execute(SET, [datetime(2026, 1, 1, tzinfo=UTC).isoformat()])
        cursor.execute(STOP)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(START)


def set_clock(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SET, [now.isoformat()])


class Town:
    def __init__(self) -> None:
        self.specialty = SpecialtyFactory.create()
        self.clinic: Clinic = ClinicFactory.create(time_zone__name="UTC", patient_cutoff_hours=0)
        self.visit_type: VisitType = VisitTypeFactory.create(
            minutes=30,
            minimum_notice_minutes=0,
            horizon_days=10_000,
            waitlist_minimum_lead_minutes=model.LEAD // MINUTE,
        )
        self.providers: list[Provider] = [self._provider() for _ in range(PROVIDERS)]
        self.patients: list[Patient] = PatientFactory.create_batch(PATIENTS, clinic=self.clinic)
        self.desk = someone_at_the_desk()
        self._numbers = {patient.pk: n for n, patient in enumerate(self.patients)}
        self._of_provider = {provider.pk: n for n, provider in enumerate(self.providers)}
        waitlist_policy(self.clinic, most_offers_a_day=10_000)
        self._have_been_here()

    def _provider(self) -> Provider:
        provider = ProviderFactory.create(clinic=self.clinic, specialty=self.specialty)
        ProviderScheduleFactory.create(
            provider=provider, day_of_week=Weekday.MONDAY, start_time=time(9), end_time=time(12)
        )
        return provider

    def _have_been_here(self) -> None:
        for n in EXISTING:
            start = datetime.combine(next_monday(-4), time(9), UTC) + n * HALF_HOUR
            past = AppointmentFactory.create(
                provider=self.providers[0],
                patient=self.patients[n],
                visit_type=self.visit_type,
                start=start,
            )
            with transaction.atomic():
                Appointment.objects.filter(pk=past.pk).update(status="COMPLETED")
                bump([self.providers[0].pk])

    def begin_week(self, number: int) -> datetime:
        """Clear away what waits, and return the Monday morning of a week nobody has seen."""
        with transaction.atomic():
            WaitlistOffer.objects.all().delete()
            WaitlistEntry.objects.all().delete()
            Opening.objects.all().delete()
            SlotHold.objects.all().delete()
            bump(provider.pk for provider in self.providers)
        self.monday = datetime.combine(next_monday(number), time(9), UTC)
        return self.monday

    def slot(self, provider: int, place: int) -> Slot:
        return Slot(provider, self.monday + place * HALF_HOUR)

    def look(self) -> Seen:
        """Read all rows of this week, in plain SQL: it is done ten thousand times."""
        whose = self._of_provider
        week = [self.monday - DAY, self.monday + DAY]
        return Seen(
            visits={
                pk: Visit(self._numbers[patient], Slot(whose[provider], start))
                for pk, patient, provider, start in _rows(VISITS, week)
            },
            entries=dict(_rows(ENTRIES)),
            openings={
                pk: model.Opening(_half_hour(whose[provider], span), *values)
                for pk, provider, span, *values in _rows(OPENINGS)
            },
            offers={pk: model.Offer(*values) for pk, *values in _rows(OFFERS)},
            holds=[
                Held(holder, Slot(whose[provider], start), until)
                for holder, provider, start, until in _rows(HOLDS)
            ],
        )


def _half_hour(provider: int, span: Range[datetime]) -> Slot:
    assert span.lower is not None
    assert span.upper == span.lower + HALF_HOUR
    return Slot(provider, span.lower)


def _rows(question: str, values: Sequence[datetime] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
