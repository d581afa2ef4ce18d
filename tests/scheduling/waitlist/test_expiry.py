"""Waiting ends with its last day, by the clinic's calendar, and with the visit to be replaced."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import AuditEntry, Patient
from providers.models import Provider
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import WaitlistEntry
from scheduling.waitlist.entries import expire
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    at,
    next_monday,
)
from tests.factories.waitlist import entry_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ENTRY = WaitlistEntry.Status


def status_of(entry: WaitlistEntry) -> str:
    return WaitlistEntry.objects.get(pk=entry.pk).status


def test_the_last_day_ends_at_each_clinics_own_midnight() -> None:
    day: dict[str, Any] = {
        "earliest_desired_date": date(2026, 6, 1),
        "latest_date": date(2026, 6, 10),
    }
    east = entry_of(provider=ProviderFactory.create(), **day)
    west = entry_of(
        provider=ProviderFactory.create(
            clinic=ClinicFactory.create(time_zone__name="America/Los_Angeles")
        ),
        **day,
    )
    resting = entry_of(provider=ProviderFactory.create(), status=ENTRY.PAUSED, **day)
    midnight = datetime(2026, 6, 11, 4, tzinfo=UTC)
    assert expire(now=midnight - timedelta(seconds=1)) == 0
    assert expire(now=midnight) == 2
    assert [status_of(e) for e in (east, west, resting)] == ["EXPIRED", "WAITING", "EXPIRED"]
    assert expire(now=midnight + 3 * HOUR) == 1
    assert WaitlistEntry.objects.get(pk=west.pk).ended_at == midnight + 3 * HOUR


def test_without_a_last_day_the_waiting_goes_on() -> None:
    entry = entry_of(provider=ProviderFactory.create(), earliest_desired_date=date(2020, 1, 1))
    assert expire(now=datetime(2040, 1, 1, tzinfo=UTC)) == 0
    assert status_of(entry) == ENTRY.WAITING


@pytest.mark.parametrize("ended", [ENTRY.BOOKED, ENTRY.LEFT])
def test_what_ended_otherwise_stays_as_it_ended(ended: str) -> None:
    entry = entry_of(
        provider=ProviderFactory.create(),
        earliest_desired_date=date(2020, 1, 1),
        latest_date=date(2020, 1, 1),
        status=ended,
    )
    assert expire(now=datetime(2026, 1, 1, tzinfo=UTC)) == 0
    assert status_of(entry) == ended


def test_nothing_comes_sooner_than_a_visit_that_has_begun(provider: Provider) -> None:
    visit = AppointmentFactory.create(provider=provider, start=at(next_monday(), "09:00"))
    entry = entry_of(visit.patient, provider=provider, replaces=visit)
    assert expire(now=visit.scheduled_start - timedelta(seconds=1)) == 0
    assert expire(now=visit.scheduled_start) == 1
    assert status_of(entry) == ENTRY.EXPIRED


def test_who_cancelled_the_visit_waits_on_for_one(
    patient: Patient, provider: Provider, now: datetime
) -> None:
    visit = AppointmentFactory.create(
        patient=patient, provider=provider, start=at(next_monday(), "09:00")
    )
    entry = entry_of(patient, provider=provider, replaces=visit)
    booking.cancel(appointment=visit, reason="PATIENT", by=Actor.patient(), now=now)
    assert expire(now=now) == 0
    entry.refresh_from_db()
    assert (entry.status, entry.replaces) == (ENTRY.WAITING, None)
    assert expire(now=visit.scheduled_start + HOUR) == 0


def test_a_cancellation_that_can_be_undone_changes_nothing_yet(
    patient: Patient, provider: Provider, desk: Actor, now: datetime
) -> None:
    visit = AppointmentFactory.create(
        patient=patient, provider=provider, start=at(next_monday(), "09:00")
    )
    entry = entry_of(patient, provider=provider, replaces=visit)
    booking.cancel(appointment=visit, reason="PATIENT", by=desk, now=now)
    expire(now=now + timedelta(minutes=9))
    entry.refresh_from_db()
    assert entry.replaces_id == visit.pk
    expire(now=now + timedelta(minutes=11))
    entry.refresh_from_db()
    assert entry.replaces_id is None


def test_however_many_end_the_statements_are_as_few_and_each_patient_is_named(
    provider: Provider,
) -> None:
    over: dict[str, Any] = {
        "earliest_desired_date": date(2020, 1, 1),
        "latest_date": date(2020, 1, 1),
    }
    people = [PatientFactory.create(clinic=provider.clinic) for _ in range(12)]
    for person in people:
        entry_of(person, provider=provider, **over)
    with CaptureQueriesContext(connection) as asked:
        assert expire(now=datetime(2026, 1, 1, tzinfo=UTC)) == 12
    told = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    assert len(told) <= 4  # bound the waiting, end, write down, let go
    rows = AuditEntry.objects.filter(purpose="waitlist")
    assert {row.system_actor for row in rows} == {"system:waitlist"}
    assert [row.changes for row in rows] == [{"status": [None, "EXPIRED"]}] * 12
    entries = {str(entry.pk): [entry.patient_id] for entry in WaitlistEntry.objects.all()}
    assert {row.object_pk: row.patient_ids for row in rows} == entries
