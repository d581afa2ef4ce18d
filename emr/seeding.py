"""Joins an invented clinic to the demo's record system, and leaves there something to decide.

Whatever can come about by the ordinary queues does: this writes what two houses set up by hand
before their first message, and what happened between them before the demo began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings

from emr import arrivals
from emr.demo_server.board import order_for
from emr.drivers.base import Driver
from emr.drivers.opening import opened
from emr.fhir.instants import utc
from emr.fhir.location import location
from emr.fhir.practitioner_out import practitioner
from emr.inbox import disagreeing
from emr.kinds import ConflictKind, Source, State, Vendor, What, Why
from emr.models import EMRConnection, EMRLink, OutboundMessage
from emr.outbox import agreements, linking, writing
from emr.outbox.visits import person_of, standing_of, visit_of
from emr.standings import Standing
from emr.transport import Reply, Transport
from emr.visits import Known, Remote, Told
from providers.fields import UUIDModel
from providers.models import Clinic
from scheduling.models import Appointment
from scheduling.transitions import Status

CONNECTION = UUID("01890000-0000-7000-8000-00000000e3a0")
SOURCE = "urn:daysheet:demo-record-system"
NAME = "Riverside Hospital"
NPI = "http://hl7.org/fhir/sid/us-npi"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TOLD_AHEAD = 2 * DAY
OPEN = (Status.SCHEDULED.value, Status.CONFIRMED.value)
SECONDS = 5.0
MOST_TOLD = 200


def seed(clinic: Clinic, *, now: datetime) -> None:
    """Do nothing unless `EMR_DEMO_URL` says where the demo's record system is.

    May be called again, also for a system at another address or one that has forgotten us. Raises
    the kinds of EMRError where it does not answer.
    """
    address = getattr(settings, "EMR_DEMO_URL", "")
    if not address:
        return
    connection = _joined(clinic, address)
    with closing(Transport(address, timeout=SECONDS)) as transport:
        is_new = _introduce(connection, transport)
        if is_new:
            _leave_work(connection, transport, now=now)
    _tell_of_what_comes(connection, now=now)


def _joined(clinic: Clinic, address: str) -> EMRConnection:
    columns: Mapping[str, Any] = {
        "clinic": clinic,
        "name": NAME,
        "source_system": SOURCE,
        "vendor": Vendor.GENERIC_R4.value,
        "is_active": True,
        "creates_patients": True,
        "base_url": address,
        "hook_secret": settings.EMR_DEMO_SECRET,
        "rate_per_second": 100.0,
        "burst": 50,
    }
    joined, _is_new = EMRConnection.objects.update_or_create(pk=CONNECTION, defaults=columns)
    return joined


def _introduce(connection: EMRConnection, transport: Transport) -> bool:
    """Let the other side know the clinic and its providers; True where the two meet anew."""
    places = transport.request("GET", "Location", params={"name": connection.clinic.name})
    links = EMRLink.objects.filter(source_system=SOURCE)
    if not places.body.get("entry"):
        links.delete()
    is_new = not links.exists()
    place = location(name=connection.clinic.name, phone=connection.clinic.phone)
    made = _made(transport, place, once=f"name={connection.clinic.name}")
    _link(connection.clinic, "Location", made)
    for provider in connection.clinic.providers.filter(is_active=True):
        npi = provider.npi_number or ""
        told = practitioner(name=provider.name, npi=npi)
        _link(provider, "Practitioner", _made(transport, told, once=f"identifier={NPI}|{npi}"))
    return is_new


def _made(transport: Transport, resource: Mapping[str, Any], *, once: str = "") -> str:
    """Write a resource there, once where a condition is given, and return its id."""
    headers = {"If-None-Exist": once} if once else {}
    kind = resource["resourceType"]
    reply: Reply = transport.request("POST", kind, json=resource, headers=headers)
    return str(reply.body["id"])


def _link(row: UUIDModel, resource_type: str, resource_id: str) -> None:
    EMRLink.objects.update_or_create(
        source_system=SOURCE,
        resource_type=resource_type,
        resource_id=resource_id,
        defaults={
            "local_model": row._meta.label_lower,
            "local_id": row.pk,
            "digest": agreements.NO_DIGEST,
        },
    )


@dataclass
class _Scene:
    """The other side, as its driver and its own staff see it."""

    connection: EMRConnection
    transport: Transport
    driver: Driver
    now: datetime


def _leave_work(connection: EMRConnection, transport: Transport, *, now: datetime) -> None:
    """Leave a conflict, an order, a result, an unmatched patient and a message that was refused."""
    visits = list(islice(_one_for_each_patient(connection, now), 3))
    with opened(connection) as driver:
        scene = _Scene(connection, transport, driver, now)
        for leave, visit in zip((_disagree, _have_doubles, _be_refused), visits, strict=False):
            leave(scene, visit)


def _one_for_each_patient(connection: EMRConnection, now: datetime) -> Iterator[Appointment]:
    """Yield visits of the next days, each of another patient."""
    coming = Appointment.objects.filter(clinic=connection.clinic, status__in=OPEN)
    coming = coming.starting(now + DAY, now + 7 * DAY).order_by("scheduled_start", "pk")
    seen: set[UUID] = set()
    for visit in coming.select_related(
        "patient", "provider", "clinic__time_zone", "appointment_type"
    ):
        if visit.patient_id not in seen:
            seen.add(visit.patient_id)
            yield visit


def _disagree(scene: _Scene, visit: Appointment) -> None:
    """Both sides have moved a visit, each elsewhere; besides, its patient has an order and a
    result."""
    person = person_of(visit.patient, scene.connection)
    candidate = scene.driver.create_patient(person)
    linking.write_link(visit.patient, candidate, scene.connection)
    ours = standing_of(visit)
    before = replace(ours, start=ours.start - 60 * MINUTE, end=ours.end - 60 * MINUTE)
    told = replace(visit_of(visit, scene.connection), start=before.start, end=before.end)
    booked = scene.driver.book(told)
    agreements.write(
        None,
        Known(booked.remote_id, booked.version_id),
        appointment=visit,
        connection=scene.connection,
        standing=before,
        now=scene.now,
    )
    theirs = _moved_there(scene, booked, to=ours.end)
    dispute = disagreeing.of_visit(
        ConflictKind.BOTH_MOVED,
        remote_id=booked.remote_id,
        version_id=theirs.version_id,
        patient=visit.patient_id,
        appointment=visit,
        ours=ours,
        theirs=_standing(before, theirs),
        base=before,
    )
    disagreeing.open_conflict(scene.connection, dispute)
    _order_and_report(scene, candidate.remote_id)


def _moved_there(scene: _Scene, booked: Remote, *, to: datetime) -> Remote:
    """Let somebody there put an appointment elsewhere."""
    length = (booked.end or to) - (booked.start or to)
    moved = {**booked.raw, "start": utc(to), "end": utc(to + length)}
    scene.transport.request("PUT", f"Appointment/{booked.remote_id}", json=moved)
    return scene.driver.read(booked.remote_id)


def _standing(before: Standing, theirs: Remote) -> Standing:
    start, end = theirs.start or before.start, theirs.end or before.end
    return replace(before, start=start.astimezone(UTC), end=end.astimezone(UTC))


def _order_and_report(scene: _Scene, patient: str) -> None:
    """Let the other side tell of a new order and of a final result: each becomes a task."""
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Laboratory report"},
        "subject": {"reference": f"Patient/{patient}"},
        "issued": utc(scene.now),
    }
    for resource in (order_for(patient), report):
        made, kind = _made(scene.transport, resource), str(resource["resourceType"])
        told = Told(kind, made)
        arrivals.receive(scene.connection, told, source=Source.HOOK, key=f"demo:{kind}/{made}")


def _have_doubles(scene: _Scene, visit: Appointment) -> None:
    """Let the other side have two people of one name and birthday: who is it?"""
    patient = visit.patient
    for number, line in enumerate(("12 Canal Street", "480 Hillside Avenue"), start=1):
        _made(
            scene.transport,
            {
                "resourceType": "Patient",
                "active": True,
                "identifier": [_record_number(f"RH-{4100 + number}")],
                "name": [{"family": patient.family_name, "given": [patient.given_name]}],
                "birthDate": str(patient.dob),
                "address": [{"line": [line], "city": "Riverside"}],
            },
        )
    found = linking.find(person_of(patient, scene.connection), scene.driver)
    linking.ask_people(patient, found, scene.connection)
    writing.tell_again(visit, scene.connection, now=scene.now)


def _record_number(value: str) -> Mapping[str, Any]:
    kind = {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
    return {"type": {"coding": [kind]}, "system": "urn:oid:2.16.840.1.113883.19.5", "value": value}


def _be_refused(scene: _Scene, visit: Appointment) -> None:
    """Keep a message that the other side did not take; sent again, it is taken."""
    OutboundMessage.objects.create(
        connection=scene.connection,
        what=What.VISIT.value,
        act="BOOK",
        patient=visit.patient,
        appointment=visit,
        version=visit.version,
        marker=writing.new_marker(),
        state=State.DEAD.value,
        why=Why.REFUSED.value,
        codes=["422", "business-rule"],
        attempts=1,
        fence=1,
        not_before=scene.now - 40 * MINUTE,
        created_at=scene.now - 40 * MINUTE,
        sending_at=scene.now - 40 * MINUTE,
        done_at=scene.now - 40 * MINUTE,
    )


def _tell_of_what_comes(connection: EMRConnection, *, now: datetime) -> None:
    """Queue today's and tomorrow's visits that nothing was said of yet: the worker needs less than
    a minute for them."""
    links = EMRLink.objects.filter(source_system=SOURCE, resource_type="Appointment")
    coming = Appointment.objects.filter(clinic=connection.clinic, status__in=OPEN)
    coming = coming.starting(now - DAY / 4, now + TOLD_AHEAD).order_by("scheduled_start")
    unknown = coming.exclude(pk__in=links.values("local_id")).exclude(
        emr_messages__connection=connection
    )
    rows = [
        OutboundMessage(
            connection=connection,
            what=What.VISIT.value,
            act="AGAIN",
            patient_id=visit.patient_id,
            appointment=visit,
            version=visit.version,
            marker=writing.new_marker(),
            not_before=now,
        )
        for visit in unknown[:MOST_TOLD]
    ]
    OutboundMessage.objects.bulk_create(rows)
