"""How long after a booking its confirmation is with the vendor, through a real worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from datetime import time as time_of_day
from statistics import median
from typing import Any

from django.utils import timezone
from django_q.conf import Conf

from config.progress import step
from patients import outboxes
from patients.models import Patient
from providers.models import Clinic
from tests.benchmarks.figures import Figure, quantile
from tests.factories import AppointmentFactory, ProviderFactory, VisitTypeFactory, next_monday
from tests.reminders.crowd import clinic_at_noon, person
from tests.reminders.vendors.twilio_server import TwilioServer

TURNS = int(os.environ.get("BENCH_BOOKINGS", "30"))
TARGET_S = 2.0
PATIENCE = 60.0
WARM_UP = 3
MORNING = time_of_day(10)


def measure() -> Iterator[Figure]:
    """Yield the seconds from the call that books to the vendor's taking of the text."""
    outboxes.settle(now=timezone.now())
    with TwilioServer() as vendor, worker(vendor.settings):
        clinic = clinic_at_noon(timezone.now())
        with step(f"Booking {TURNS} visits, one after the other"):
            waits = [wait_of(vendor, clinic, number) for number in range(WARM_UP + TURNS)][WARM_UP:]
    yield Figure("confirmation_latency", median(waits), "s", TARGET_S)
    yield Figure("confirmation_latency, p95", quantile(waits, 0.95), "s", TARGET_S)
    yield Figure("confirmation_latency, slowest", max(waits), "s", TARGET_S)


@contextmanager
def worker(settings: Mapping[str, Any]) -> Iterator[None]:
    """Run the queue's own cluster, texting by the vendor; it ends with the block."""
    environment = {
        **os.environ,
        **{name: str(value) for name, value in settings.items()},
        "DJANGO_SETTINGS_MODULE": "config.settings.development",
        "SMS_CHANNEL": "twilio",
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "createcachetable"], env=environment, check=True)
    with subprocess.Popen(
        [*manage, "qcluster"], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        sync, Conf.SYNC = Conf.SYNC, False  # here, too, jobs are the worker's
        try:
            yield
        finally:
            Conf.SYNC = sync
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def wait_of(vendor: TwilioServer, clinic: Clinic, number: int) -> float:
    """Book for somebody who is texted, and return how long the text took."""
    patient = person(clinic, number, email="")
    patient.save()
    visit = {
        "patient": patient,
        "provider": ProviderFactory.create(clinic=clinic, working=True),
        "visit_type": VisitTypeFactory.create(),
        "start": datetime.combine(next_monday(1), MORNING, clinic.zone),
    }
    began = timezone.now()
    AppointmentFactory.create(**visit, now=began)
    return (taken_at(vendor, patient) - began).total_seconds()


def taken_at(vendor: TwilioServer, patient: Patient) -> datetime:
    ends_at = time.monotonic() + PATIENCE
    while time.monotonic() < ends_at:
        for one in vendor.taken:
            if one.to == patient.phone:
                return one.at
        time.sleep(0.005)
    raise TimeoutError("the vendor was given nothing")
