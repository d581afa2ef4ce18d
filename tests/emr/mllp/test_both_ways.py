"""A visit goes out over one line and comes back over the other; both sides end up the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from emr import tasks
from emr.hl7v2.acks import read_ack
from emr.hl7v2.parsing import parsed
from emr.kinds import State, Vendor
from emr.mllp.answering import answer
from emr.models import EMRConnection, EMRLink, OutboundMessage
from patients.models import Patient
from patients.privacy.audit import keeping_record
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, BookedVia, CancelReason
from scheduling.transitions import Act, Status
from tests.emr.mllp.line_peers import LinePeer, is_silent, line_peer, says
from tests.factories import at, next_monday
from tests.factories.emr import EMRConnectionFactory, link_to

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("jobs_wait")]
MRN, NO = "MRN7", "|" * 14


@pytest.fixture
def start() -> datetime:
    return at(next_monday(1), "10:00")


@pytest.fixture
def joined(clinic: Clinic) -> Callable[..., EMRConnection]:
    def join(peer: LinePeer, **columns: Any) -> EMRConnection:
        return EMRConnectionFactory.create(
            clinic=clinic,
            vendor=Vendor.HL7V2.value,
            base_url="",
            hl7_host="127.0.0.1",
            hl7_port=peer.port,
            hl7_tls=False,
            hl7_there="EPIC|HOSPITAL",
            timeout_seconds=1,
            **columns,
        )

    return join


@pytest.fixture
def book(
    clinic: Clinic, provider: Provider, patient: Patient, visit_type: VisitType, desk: Actor,
    start: datetime,
) -> Callable[[], Appointment]:  # fmt: skip
    def make() -> Appointment:
        return booking.book(
            patient=patient, provider=provider, clinic=clinic, visit_type=visit_type,
            start=start, by=desk, now=timezone.now(),
        )  # fmt: skip

    return make


def told(connection: EMRConnection, text: str) -> str:
    return read_ack(answer(connection.pk, text.encode()).decode()).code


def events(peer: LinePeer) -> list[str]:
    return [parsed(text).header.part(9, 2) for text in peer.heard]


def theirs(event: str, start: datetime, npi: str, **words: str) -> str:
    """Return what the other side writes of an appointment of its own."""
    said = {"filler": "E500", "placer": "", "status": "Booked"} | words
    when = start.strftime("%Y%m%d%H%M%S+0000")
    number = f"{event}{when}{said['filler']}"
    return "\r".join(
        (
            f"MSH|^~\\&|EPIC|HOSPITAL|DAYSHEET||{when}||SIU^{event}|{number}|P|2.3",
            f"SCH|{said['placer']}|{said['filler']}|||||||30|MIN|^^M30^{when}{NO}{said['status']}",
            f"PID|1||{MRN}^^^EPIC^MR||Doe^Jane||19740131|F",
            f"AIP|1||{npi}^^^^^^^^&2.16.840.1.113883.4.6&ISO",
            "",
        )
    )


class TestOurs:
    def test_is_told_as_it_goes(
        self,
        joined: Callable[..., EMRConnection],
        book: Callable[[], Appointment],
        patient: Patient,
        desk: Actor,
    ) -> None:
        with line_peer() as peer:
            link_to(joined(peer), patient, "Patient", MRN)
            visit = book()
            tasks.push()
            booking.transition(appointment=visit, act=Act.CONFIRM, by=desk, now=timezone.now())
            tasks.push()
        assert events(peer) == ["S12", "S14"]
        assert parsed(peer.heard[0]).first("SCH").part(1) == visit.pk.hex
        assert parsed(peer.heard[0]).first("PID").part(3) == MRN
        assert {row.state for row in OutboundMessage.objects.all()} == {State.DONE.value}

    def test_is_told_again_under_the_same_number_where_nobody_answered(
        self,
        joined: Callable[..., EMRConnection],
        book: Callable[[], Appointment],
        patient: Patient,
    ) -> None:
        with line_peer(is_silent) as peer:
            link_to(joined(peer), patient, "Patient", MRN)
            book()
            tasks.push()
            OutboundMessage.objects.update(not_before=timezone.now())
            tasks.push()
        first, again = peer.control_ids
        assert first == again
        assert OutboundMessage.objects.get().state == State.DONE.value

    def test_is_left_to_people_where_it_is_refused(
        self,
        joined: Callable[..., EMRConnection],
        book: Callable[[], Appointment],
        patient: Patient,
    ) -> None:
        with line_peer(says("AE", "204")) as peer:
            link_to(joined(peer), patient, "Patient", MRN)
            book()
            tasks.push()
        message = OutboundMessage.objects.get()
        assert (message.state, message.codes) == (State.DEAD.value, ["AE", "204"])

    def test_is_known_when_it_comes_back_with_a_number_of_theirs(
        self,
        joined: Callable[..., EMRConnection],
        book: Callable[[], Appointment],
        patient: Patient,
        provider: Provider,
        start: datetime,
        desk: Actor,
    ) -> None:
        with line_peer() as peer:
            connection = joined(peer)
            link_to(connection, patient, "Patient", MRN)
            visit = book()
            tasks.push()
            echo = theirs("S12", start, provider.npi_number or "", placer=visit.pk.hex)
            assert told(connection, echo) == "AA"
            tasks.take_in()
            booking.cancel(
                appointment=visit, reason=CancelReason.PATIENT_REQUEST, by=desk,
                now=timezone.now(),
            )  # fmt: skip
            OutboundMessage.objects.update(not_before=timezone.now())
            Appointment.objects.update(undo_until=None)
            tasks.push()
        assert Appointment.objects.count() == 1
        assert events(peer) == ["S12", "S15"]
        assert parsed(peer.heard[1]).first("SCH").part(2) == "E500"


@pytest.mark.usefixtures("visit_type")
class TestTheirs:
    def test_is_booked_moved_and_cancelled_here(
        self, joined: Callable[..., EMRConnection], provider: Provider, start: datetime
    ) -> None:
        npi, later = provider.npi_number or "", start + timedelta(hours=2)
        with line_peer() as peer:
            connection = joined(peer)
            assert told(connection, theirs("S12", start, npi)) == "AA"
            tasks.take_in()
            visit = Appointment.objects.get()
            assert (visit.scheduled_start, visit.booked_via) == (start, BookedVia.EMR)
            with keeping_record(system="system:test", purpose="test"):
                assert visit.patient.family_name == "Doe"
            assert told(connection, theirs("S13", later, npi)) == "AA"
            tasks.take_in()
            visit.refresh_from_db()
            assert visit.scheduled_start == later
            assert told(connection, theirs("S15", later, npi, status="Cancelled")) == "AA"
            tasks.take_in()
            visit.refresh_from_db()
            assert visit.status == Status.CANCELLED
            tasks.push()
        assert peer.heard == []
        assert EMRLink.objects.filter(resource_type="Appointment", resource_id="E500").exists()

    def test_is_taken_once_however_often_it_is_sent(
        self, joined: Callable[..., EMRConnection], provider: Provider, start: datetime
    ) -> None:
        with line_peer() as peer:
            connection = joined(peer)
            text = theirs("S12", start, provider.npi_number or "")
            for _ in range(3):
                assert told(connection, text) == "AA"
                tasks.take_in()
        assert Appointment.objects.count() == 1
        assert Patient.objects.count() == 1
