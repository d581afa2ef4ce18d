"""A clinic with visits and a record system in a process of its own that knows its people."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from emr.fhir.appointment import own_value
from emr.fhir.instants import utc
from emr.models import EMRConnection, EMRLink
from emr.outbox.visits import standing_of
from patients.models import Patient
from providers.calendars import bump
from providers.fields import UUIDModel
from providers.models import Provider
from scheduling.models import Appointment
from tests.factories import ClinicFactory, PatientFactory, ProviderFactory, VisitTypeFactory
from tests.factories.emr import NO_DIGEST, EMRConnectionFactory

DAY, HALF_HOUR = timedelta(days=1), timedelta(minutes=30)
AT_ONCE = 1_000
A_DAY = 32  # visits of a provider: from midnight on, so that none needs hours


@dataclass
class Joined:
    """A clinic's visits and the connection that is to be told of them."""

    connection: EMRConnection
    visits: list[Appointment]
    resources: list[dict[str, Any]] = field(default_factory=list, repr=False)


@transaction.atomic
def joined(size: int, *, providers: int, days: int, first: datetime, **columns: Any) -> Joined:
    """Save so many visits from `first` on, half an hour each, and links of all who take part."""
    clinic = ClinicFactory.create(time_zone__name="UTC")
    kind = VisitTypeFactory.create()
    doctors = ProviderFactory.create_batch(providers, clinic=clinic)
    people = PatientFactory.build_batch(min(size, 2_000), clinic=clinic)
    Patient.objects.bulk_create(people, batch_size=AT_ONCE)
    connection = EMRConnectionFactory.create(clinic=clinic, **columns)
    visits = [
        _visit(doctor, people[number % len(people)], kind, start)
        for number, (doctor, start) in zip(range(size), _places(doctors, days, first), strict=False)
    ]
    assert len(visits) == size, f"room for {len(visits)} visits only"
    Appointment.objects.bulk_create(visits, batch_size=AT_ONCE)
    bump(doctor.pk for doctor in doctors)
    there = Joined(connection, visits)
    for rows, kind_there in (
        (doctors, "Practitioner"),
        (people, "Patient"),
        ([clinic], "Location"),
    ):
        _know(there, rows, kind_there)
    return there


def _places(
    doctors: Sequence[Provider], days: int, first: datetime
) -> Iterator[tuple[Provider, datetime]]:
    for number in range(A_DAY):
        for day in range(days):
            for doctor in doctors:
                yield doctor, first + day * DAY + number * HALF_HOUR


def _visit(doctor: Provider, patient: Patient, kind: Any, start: datetime) -> Appointment:
    end = start + HALF_HOUR
    return Appointment(
        patient=patient,
        provider=doctor,
        clinic=doctor.clinic,
        appointment_type=kind,
        scheduled_start=start,
        scheduled_end=end,
        busy=(start, end),
        booked_via="DESK",
    )


def _know(there: Joined, rows: Iterable[UUIDModel], resource_type: str) -> None:
    """Let the other side have a resource for each row, under the row's own id."""
    links = []
    for row in rows:
        there.resources.append({"resourceType": resource_type, "id": row.pk.hex})
        links.append(_link(there.connection, row, resource_type))
    EMRLink.objects.bulk_create(links, batch_size=AT_ONCE)


def _link(connection: EMRConnection, row: UUIDModel, resource_type: str, **columns: Any) -> EMRLink:
    return EMRLink(
        source_system=connection.source_system,
        resource_type=resource_type,
        resource_id=row.pk.hex,
        local_model=row._meta.label_lower,
        local_id=row.pk,
        digest=NO_DIGEST,
        **columns,
    )


def agree(there: Joined) -> None:
    """Let the other side have every visit as it stands here."""
    links = []
    for visit in there.visits:
        agreed = standing_of(visit).as_json()
        link = _link(there.connection, visit, "Appointment", version_id="1", agreed=agreed)
        links.append(link)
        there.resources.append(_appointment(visit))
    EMRLink.objects.bulk_create(links, batch_size=AT_ONCE)


def _appointment(visit: Appointment) -> dict[str, Any]:
    actors = [("Patient", visit.patient_id), ("Practitioner", visit.provider_id)]
    return {
        "resourceType": "Appointment",
        "id": visit.pk.hex,
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": own_value(visit.pk)}],
        "status": "booked",
        "start": utc(visit.scheduled_start),
        "end": utc(visit.scheduled_end),
        "participant": [
            {"actor": {"reference": f"{kind}/{pk.hex}"}, "status": "accepted"}
            for kind, pk in actors
        ],
    }


@dataclass
class Running:
    """What the record system says of itself once it has ended."""

    became: dict[str, int] = field(default_factory=dict)


@contextmanager
def running(there: Joined, *, latency: float) -> Iterator[Running]:
    """Run the record system, and point the connection at it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "resources.ndjson"
        lines = (json.dumps(one) for one in there.resources)
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        command = [sys.executable, "-m", "tests.emr.peers.alone", str(latency), str(file)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            there.connection.base_url = process.stdout.readline().strip()
            there.connection.save(update_fields=["base_url"])
            told = Running()
            yield told
            out, _err = process.communicate()
            told.became = json.loads(out)
