"""How long freed time waits for its first offer where many wait, and how many the minute's job
can pass on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.conf import Conf

from config.progress import step
from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Opening, WaitlistEntry
from scheduling.waitlist import offering
from scheduling.waitlist.candidates import matches
from tests.benchmarks.figures import Figure, quantile
from tests.benchmarks.people import patients
from tests.factories import ProviderFactory, SpecialtyFactory, VisitTypeFactory, next_monday
from tests.factories.waitlist import opening_of
from tests.reminders.crowd import clinic_at_noon

WAITING = int(os.environ.get("BENCH_WAITING", "500"))
GAPS = int(os.environ.get("BENCH_GAPS", "200"))
TURNS = 20
TARGET_MS, TARGET_STATEMENTS, TARGET_SECONDS = 250.0, 30.0, 30.0
DAY, HALF_HOUR = timedelta(days=1), timedelta(minutes=30)


def measure() -> Iterator[Figure]:
    """Yield what one look and one offer cost, and how long a sweep of all gaps takes.

    The messages are the worker's own work, and are queued only.
    """
    sync, Conf.SYNC = Conf.SYNC, False
    try:
        yield from _measure()
    finally:
        Conf.SYNC = sync


def _measure() -> Iterator[Figure]:
    with step(f"Letting {WAITING:,} people wait"):
        clinic = clinic_at_noon(timezone.now())
        specialty = SpecialtyFactory.create()
        doctors = ProviderFactory.create_batch(20, clinic=clinic, specialty=specialty, working=True)
        let_wait(clinic, doctors)
        gaps = [gap_of(doctors, number) for number in range(GAPS)]
    with step(f"Offering {GAPS} gaps"):
        looks, statements = look_at(gaps[:TURNS])
        yield Figure(f"waitlist_look, {WAITING} waiting", median(looks), "ms", TARGET_MS)
        yield Figure("waitlist_look, statements", statements, "1", TARGET_STATEMENTS)
        now = timezone.now()
        offers = [timed(partial(offering.advance, gap.pk, now=now)) for gap in gaps[:TURNS]]
        yield Figure("waitlist_offer, p95", quantile(offers, 0.95), "ms", TARGET_MS)
        began = time.perf_counter()
        done = offering.advance_due(now=now, seconds=10 * TARGET_SECONDS)
        seconds = time.perf_counter() - began
    assert (done["failed"], done["left"]) == (0, 0), done
    assert Opening.objects.filter(offers__status="OFFERED").count() >= TURNS
    yield Figure(f"waitlist_sweep, {done['looked']} gaps", seconds, "s", TARGET_SECONDS)


def let_wait(clinic: Clinic, doctors: list[Provider]) -> None:
    """Let everybody wait for anybody of the specialty, for one of five types of visit."""
    kinds = VisitTypeFactory.create_batch(5, waitlist_minimum_lead_minutes=60)
    people = list(islice(patients(clinic, WAITING), WAITING))
    for number, person in enumerate(people):
        person.email = f"waits{number}@mail.example"
        person.index_assigned()
    Patient.objects.bulk_create(people)
    WaitlistEntry.objects.bulk_create(
        entry(clinic, doctors[0], kinds[number % len(kinds)], person)
        for number, person in enumerate(people)
    )


def entry(clinic: Clinic, doctor: Provider, kind: VisitType, person: Patient) -> WaitlistEntry:
    return WaitlistEntry(
        patient=person,
        clinic=clinic,
        specialty=doctor.specialty,
        appointment_type=kind,
        earliest_desired_date=timezone.localdate(timezone=clinic.zone),
        minimum_notice_minutes=0,
    )


def gap_of(doctors: list[Provider], number: int) -> Opening:
    """Free half an hour of the week after next: each time of a doctor once."""
    doctor, place = doctors[number % len(doctors)], number // len(doctors)
    day, half_hour = divmod(place, 16)
    eight = datetime.combine(next_monday(1), datetime.min.time(), doctor.clinic.zone)
    return opening_of(doctor, eight + day * DAY + timedelta(hours=8) + half_hour * HALF_HOUR)


def look_at(gaps: list[Opening]) -> tuple[list[float], float]:
    """Return what it costs to find out whom each gap fits, in milliseconds and in statements."""
    now = timezone.now()
    matches(gaps[0], now=now)
    with CaptureQueriesContext(connection) as statements:
        found = matches(Opening.objects.get(pk=gaps[0].pk), now=now)
    assert len(found) == WAITING
    fresh = [Opening.objects.get(pk=gap.pk) for gap in gaps]
    return [timed(partial(matches, gap, now=now)) for gap in fresh], len(statements)


def timed(act: Callable[[], object]) -> float:
    """Return how many milliseconds something takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1_000
