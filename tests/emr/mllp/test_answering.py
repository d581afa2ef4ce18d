"""Kept first, then acknowledged: what each answer says, and what is in the database by then."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database

from config.logging import JSONFormatter
from emr.hl7v2.acks import Ack, read_ack
from emr.hl7v2.messages import siu
from emr.kinds import Arrival, Source, Vendor
from emr.mllp import answering
from emr.mllp.answering import answer, too_long
from emr.models import EMRConnection, InboundMessage
from emr.visits import Step
from patients.privacy.audit import keeping_record
from providers.models import Clinic
from tests.emr.hl7v2.visits import ID, NOW, visit, wire
from tests.factories.emr import EMRConnectionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("jobs_wait")]
commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def theirs(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(
        clinic=clinic,
        vendor=Vendor.HL7V2.value,
        base_url="",
        hl7_host="127.0.0.1",
        hl7_port=9,
        hl7_here="DAYSHEET|RIVERSIDE",
        hl7_there="EPIC|HOSPITAL",
    )


def message(step: Step = Step.BOOK, **changes: Any) -> str:
    """Return what the other side would write."""
    there = wire(here="EPIC|HOSPITAL", there="DAYSHEET|RIVERSIDE")
    return siu(visit(**changes), step, filler="E77", settings=there, now=NOW)


def told(connection: EMRConnection, text: str | bytes) -> Ack:
    raw = text if isinstance(text, bytes) else text.encode()
    return read_ack(answer(connection.pk, raw).decode())


class TestAMessage:
    def test_is_kept_and_acknowledged(self, theirs: EMRConnection) -> None:
        ack = told(theirs, message())
        assert (ack.code, ack.control_id) == ("AA", message().split("|")[9])
        kept = InboundMessage.objects.get()
        assert (kept.source, kept.state) == (Source.HL7, Arrival.RECEIVED)
        assert (kept.resource_type, kept.resource_id, kept.event) == ("Appointment", "E77", "S12")
        with keeping_record(system="system:test", purpose="test"):
            assert kept.body == message()

    def test_is_sealed(self, theirs: EMRConnection) -> None:
        told(theirs, message())
        with database.cursor() as cursor:
            cursor.execute("SELECT body::text FROM emr_inboundmessage")
            assert "Neil" not in cursor.fetchone()[0]

    def test_that_comes_twice_is_one(self, theirs: EMRConnection) -> None:
        assert [told(theirs, message()).code for _ in range(3)] == ["AA"] * 3
        assert InboundMessage.objects.count() == 1

    def test_that_is_sent_again_at_another_time_is_the_same(self, theirs: EMRConnection) -> None:
        told(theirs, message())
        assert told(theirs, message().replace("20261123100007", "20261123100900")).code == "AA"
        assert InboundMessage.objects.count() == 1

    def test_that_says_something_else_under_an_old_number_is_another(
        self, theirs: EMRConnection
    ) -> None:
        """Some senders count from one again every day."""
        told(theirs, message())
        assert told(theirs, message().replace("Booked", "Cancelled")).code == "AA"
        assert InboundMessage.objects.count() == 2

    def test_is_kept_however_long_its_number(self, theirs: EMRConnection) -> None:
        number = message().split("|")[9]
        assert told(theirs, message().replace(number, "9" * 400)).code == "AA"
        assert len(InboundMessage.objects.get().key) <= 200

    def test_in_latin_letters_is_kept_as_it_is_meant(self, theirs: EMRConnection) -> None:
        text = message().replace("UNICODE UTF-8", "8859/1")
        assert told(theirs, text.encode("latin-1")).code == "AA"
        with keeping_record(system="system:test", purpose="test"):
            assert "Ñandú" in InboundMessage.objects.get().body

    @commits
    def test_wakes_the_worker(self, theirs: EMRConnection, monkeypatch: Any) -> None:
        queued: list[str] = []
        monkeypatch.setattr("emr.arrivals.async_task", lambda name, *_a: queued.append(name))
        told(theirs, message())
        assert queued == ["emr.tasks.take_in"]


class TestWhatIsNotTaken:
    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("SIU^S12^SIU_S12", "ADT^A04^ADT_A01", "200"),
            ("SIU^S12^SIU_S12", "SIU^S23^SIU_S12", "201"),
            ("|2.5.1|", "|3.1|", "203"),
            ("|DAYSHEET|RIVERSIDE|", "|OTHER|RIVERSIDE|", "204"),
            ("|DAYSHEET|RIVERSIDE|", "|DAYSHEET|ELSEWHERE|", "204"),
            ("|EPIC|HOSPITAL|", "|CERNER|HOSPITAL|", "204"),
            ("SCH|", "SCX|", "100"),
            ("UNICODE UTF-8", "EBCDIC", "102"),
        ],
    )
    def test_is_refused_by_its_code(
        self, theirs: EMRConnection, old: str, new: str, code: str
    ) -> None:
        ack = told(theirs, message().replace(old, new))
        assert (ack.code, ack.error_codes) == ("AR", (code,))
        assert not InboundMessage.objects.exists()

    @pytest.mark.parametrize(
        "raw", [b"", b"GET / HTTP/1.1", b"MSH", b"\xff\x00", b"MSH||||", b"MSH|^~\\&|a\0b"]
    )
    def test_is_refused_where_it_is_no_hl7(self, theirs: EMRConnection, raw: bytes) -> None:
        assert told(theirs, raw).code == "AR"
        assert not InboundMessage.objects.exists()

    def test_is_refused_where_it_is_too_long(self) -> None:
        ack = read_ack(too_long(message().encode()[:300]).decode())
        assert (ack.code, ack.control_id) == ("AR", message().split("|")[9])

    def test_may_leave_both_sides_unnamed(self, theirs: EMRConnection) -> None:
        text = message().replace("|EPIC|HOSPITAL|DAYSHEET|RIVERSIDE|", "|||||")
        assert told(theirs, text).code == "AA"


class TestOurOwnFault:
    @commits
    def test_is_an_error_after_which_it_is_sent_again(
        self, theirs: EMRConnection, monkeypatch: Any
    ) -> None:
        def fail(*_args: object, **_options: object) -> bool:
            raise RuntimeError("O'Neil")

        with monkeypatch.context() as broken:
            broken.setattr(answering, "receive", fail)
            ack = told(theirs, message())
        assert (ack.code, ack.error_codes) == ("AE", ("207",))
        assert told(theirs, message()).code == "AA"
        assert InboundMessage.objects.count() == 1

    @commits
    def test_says_nothing_of_the_message(
        self, theirs: EMRConnection, monkeypatch: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        said = visit().reason

        def fail(*_args: object, **_options: object) -> bool:
            raise RuntimeError(theirs.pk, said)

        monkeypatch.setattr(answering, "receive", fail)
        told(theirs, message())
        lines = [JSONFormatter().format(record) for record in caplog.records]
        assert any("mllp.not_kept" in line and str(theirs.pk) in line for line in lines)
        assert not any("Knee" in line for line in lines)

    @pytest.mark.parametrize("columns", [{"is_active": False}, {"vendor": "EPIC", "base_url": "x"}])
    def test_is_a_connection_that_is_switched_off(
        self, theirs: EMRConnection, columns: dict[str, Any]
    ) -> None:
        EMRConnection.objects.filter(pk=theirs.pk).update(**columns)
        assert told(theirs, message()).code == "AE"
        assert not InboundMessage.objects.exists()

    def test_is_a_connection_that_is_gone(self) -> None:
        assert read_ack(answer(uuid4(), message().encode()).decode()).code == "AE"


def test_the_appointment_is_known_by_our_id_where_there_is_no_other(theirs: EMRConnection) -> None:
    there = wire(here="EPIC|HOSPITAL", there="DAYSHEET|RIVERSIDE")
    told(theirs, siu(visit(), Step.BOOK, settings=there, now=NOW))
    assert InboundMessage.objects.get().resource_id == ID.hex
