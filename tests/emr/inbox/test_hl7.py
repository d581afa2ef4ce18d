"""HL7 v2 messages that were kept are taken like any other news: booked, moved, ended, deleted."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from emr import arrivals
from emr.inbox import taking
from emr.kinds import Arrival, Source, Vendor
from emr.models import EMRConnection, EMRLink, InboundMessage, OutboundMessage
from emr.visits import Told
from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.factories.emr import EMRConnectionFactory, link_to
from tests.factories.times import NEW_YORK, at, next_monday

TEN = at(next_monday(1), "10:00")
FILLER = "F-1001"


def siu(
    event: str,
    start: datetime | None = TEN,
    *,
    status: str = "Booked",
    placer: str = "",
    filler: str = FILLER,
    patient: str = "MRN7",
    provider: str = "E9",
    sent: datetime | None = None,
) -> str:
    """Write what a lenient sender writes: local times, no SCH-6, no TQ1."""
    when = start.astimezone(NEW_YORK).strftime("%Y%m%d%H%M") if start else ""
    stamp = (sent or timezone.now()).strftime("%Y%m%d%H%M%S+0000")
    sch = f"SCH|{placer}|{filler}||||||OFFICE^Office visit|30|min|^^30^{when}"
    rows = [
        f"MSH|^~\\&|EPIC|H|DAYSHEET|R|{stamp}||SIU^{event}|{uuid4().hex[:12]}|P|2.3",
        sch + "|" * 14 + status,
        f"PID|1||{patient}^^^H^MR||Okafor^Nia||19840229|F",
        "RGS|1",
        f"AIS|1||OFFICE|{when}",
        f"AIP|1||{provider}^Diallo^Amara",
    ]
    return "\r".join(rows) + "\r"


@pytest.fixture
def joined(clinic: Clinic, provider: Provider, visit_type: VisitType) -> EMRConnection:
    connection = EMRConnectionFactory.create(
        clinic=clinic,
        vendor=Vendor.HL7V2.value,
        base_url="",
        hl7_host="127.0.0.1",
        hl7_port=9,
        hl7_zone_id="America/New_York",
    )
    link_to(connection, provider, "Practitioner", "E9")
    return connection


def tell(connection: EMRConnection, text: str, *, filler: str = FILLER) -> InboundMessage:
    key = uuid4().hex
    told = Told("Appointment", filler)
    arrivals.receive(connection, told, source=Source.HL7, key=key, body=text)
    taking.take_in()
    return InboundMessage.objects.get(key=key)


def test_a_new_visit_is_booked_for_a_patient_who_is_made(
    joined: EMRConnection, provider: Provider
) -> None:
    message = tell(joined, siu("S12"))
    assert message.state == Arrival.DONE, message.codes
    visit = Appointment.objects.get()
    assert (visit.scheduled_start, visit.provider) == (TEN, provider)
    assert (visit.patient.given_name, visit.patient.family_name) == ("Nia", "Okafor")
    assert not OutboundMessage.objects.exists()


def test_its_way_through_move_and_cancellation(joined: EMRConnection) -> None:
    tell(joined, siu("S12"))
    tell(joined, siu("S13", TEN + timedelta(hours=1)))
    visit = Appointment.objects.get()
    assert visit.scheduled_start == TEN + timedelta(hours=1)
    tell(joined, siu("S15", TEN + timedelta(hours=1), status="Cancelled"))
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED
    assert Patient.objects.count() == 1


@pytest.mark.parametrize(
    ("event", "status"), [("S17", "Deleted"), ("S15", ""), ("S12", "Cancelled")]
)
def test_a_deletion_is_a_cancellation(joined: EMRConnection, event: str, status: str) -> None:
    tell(joined, siu("S12"))
    message = tell(joined, siu(event, status=status))
    assert message.state == Arrival.DONE, message.codes
    assert Appointment.objects.get().status == Status.CANCELLED


def test_who_did_not_come_is_noted(joined: EMRConnection) -> None:
    started = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=1)
    tell(joined, siu("S12", started))
    tell(joined, siu("S26", started, status="Noshow"))
    assert Appointment.objects.get().status == Status.NO_SHOW


def test_an_older_message_that_comes_later_changes_nothing(joined: EMRConnection) -> None:
    tell(joined, siu("S12"))
    hour = timedelta(hours=1)
    tell(joined, siu("S13", TEN + 2 * hour, sent=timezone.now() + timedelta(minutes=5)))
    late = tell(joined, siu("S13", TEN + hour))
    assert (late.state, late.codes) == (Arrival.IGNORED, ["older"])
    assert Appointment.objects.get().scheduled_start == TEN + 2 * hour


def test_our_own_visit_takes_the_number_that_the_other_side_gives_it(
    joined: EMRConnection,
    clinic: Clinic,
    provider: Provider,
    visit_type: VisitType,
    patient: Patient,
    desk: Actor,
    now: datetime,
) -> None:
    link_to(joined, patient, "Patient", "MRN7")
    visit = booking.book(
        patient=patient,
        provider=provider,
        clinic=clinic,
        visit_type=visit_type,
        start=TEN,
        by=desk,
        now=now,
    )
    link_to(joined, visit, "Appointment", visit.pk.hex)
    tell(joined, siu("S12", placer=visit.pk.hex))
    assert Appointment.objects.get() == visit
    assert EMRLink.objects.get(local_id=visit.pk).resource_id == FILLER
    OutboundMessage.objects.all().delete()
    tell(joined, siu("S15", status="Cancelled"))
    visit.refresh_from_db()
    assert visit.status == Status.CANCELLED


@pytest.mark.parametrize("text", ["", "MSH|", "PID|1||2\r", siu("S12", status="Perhaps")])
def test_what_cannot_be_understood_is_kept_as_dead(joined: EMRConnection, text: str) -> None:
    message = tell(joined, text)
    assert message.state == Arrival.DEAD
    assert message.codes
    assert not Appointment.objects.exists()


def test_a_visit_of_nobody_is_kept_as_dead(joined: EMRConnection) -> None:
    message = tell(joined, siu("S12", patient=""))
    assert (message.state, message.codes) == (Arrival.DEAD, ["no-patient"])
