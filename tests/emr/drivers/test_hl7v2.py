"""The driver against listeners of the other side: what it says, what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from emr import pacing
from emr.drivers.base import Driver
from emr.drivers.hl7v2 import HL7v2SIU, zone_of
from emr.drivers.opening import opened
from emr.failures import (
    BeingEdited,
    EMRError,
    NotOffered,
    Refused,
    TryLater,
    Unauthorized,
    Unsure,
)
from emr.hl7v2.framing import framed
from emr.hl7v2.parsing import parsed
from emr.hl7v2.reading import read_siu
from emr.kinds import Feature, Vendor
from emr.mllp.tls import server_context
from emr.models import EMRConnection
from emr.visits import Known, Party, Remote, Visit
from providers.models import Clinic, TimeZone
from scheduling.transitions import Status
from tests.config.certificates import certificate
from tests.emr.hl7v2.judge import complaints
from tests.emr.hl7v2.visits import ID, NOW, PATIENT, START, note, person, visit
from tests.emr.mllp.line_peers import Reaction, is_silent, line_peer, resets, says, writes
from tests.factories.emr import EMRConnectionFactory

pytestmark = pytest.mark.django_db
FILLER = Known("E77")


@pytest.fixture
def connection(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(
        clinic=clinic,
        vendor=Vendor.HL7V2.value,
        base_url="",
        hl7_host="127.0.0.1",
        hl7_port=9,
        hl7_tls=False,
        hl7_there="EPIC|HOSPITAL",
        timeout_seconds=1,
    )


@pytest.fixture
def driving(connection: EMRConnection) -> Callable[..., Any]:
    @contextmanager
    def drive(port: int, **columns: Any) -> Iterator[Driver]:
        for name, value in {"hl7_port": port, **columns}.items():
            setattr(connection, name, value)
        with opened(connection) as driver:
            yield driver

    return drive


Driving = Callable[..., Any]


class TestEachStep:
    @pytest.mark.parametrize(
        ("tell", "event", "word"),
        [
            (lambda driver: driver.book(visit()), "S12", "Booked"),
            (lambda driver: driver.reschedule(visit(), FILLER), "S13", "Booked"),
            (lambda driver: driver.confirm(visit(), FILLER), "S14", "Booked"),
            (lambda driver: driver.arrive(visit(), FILLER), "S14", "Started"),
            (lambda driver: driver.revert(visit(), FILLER), "S14", "Booked"),
            (lambda driver: driver.complete(visit(), FILLER), "S14", "Complete"),
            (lambda driver: driver.cancel(visit(), FILLER), "S15", "Cancelled"),
            (lambda driver: driver.no_show(visit(), FILLER), "S26", "Noshow"),
        ],
    )
    @pytest.mark.parametrize("version", ["2.3", "2.5.1"])
    def test_is_told_by_its_event(
        self, driving: Driving, tell: Any, event: str, word: str, version: str
    ) -> None:
        with line_peer() as peer, driving(peer.port, hl7_version=version) as driver:
            tell(driver)
            (text,) = peer.heard
        assert complaints(text) == []
        assert parsed(text).header.part(9, 2) == event
        assert parsed(text).first("SCH").part(25) == word

    def test_is_one_connection_for_all(self, driving: Driving) -> None:
        with line_peer() as peer, driving(peer.port) as driver:
            driver.book(visit())
            driver.cancel(visit(), FILLER)
            assert peer.connections == 1

    def test_bears_their_id_once_it_is_known(self, driving: Driving) -> None:
        with line_peer() as peer, driving(peer.port) as driver:
            booked = driver.book(visit())
            driver.confirm(visit(), Known(booked.remote_id))
            driver.confirm(visit(), FILLER)
            ids = [parsed(text).first("SCH").part(2) for text in peer.heard]
        assert booked.remote_id == ID.hex
        assert ids == ["", "", "E77"]

    def test_says_time_by_the_clock_of_the_connection(
        self, driving: Driving, connection: EMRConnection
    ) -> None:
        zone = TimeZone.objects.get(name="America/Denver")
        with line_peer() as peer, driving(peer.port, hl7_zone=zone) as driver:
            driver.book(visit())
        assert parsed(peer.heard[0]).first("TQ1").part(7) == "20261124070000-0700"

    def test_is_answered_by_what_stands_there_now(self, driving: Driving) -> None:
        with line_peer() as peer, driving(peer.port) as driver:
            answer: Remote = driver.complete(visit(status=Status.COMPLETED), FILLER)
        assert (answer.remote_id, answer.status, answer.start) == ("E77", "fulfilled", START)

    def test_can_be_read_again_by_whoever_hears_it(self, driving: Driving) -> None:
        with line_peer() as peer, driving(peer.port) as driver:
            driver.cancel(visit(), FILLER)
        heard = read_siu(peer.heard[0], zone=UTC)
        assert (heard.remote.status, heard.remote.start) == ("cancelled", START)


class TestANote:
    @pytest.mark.parametrize("version", ["2.3", "2.5.1"])
    def test_is_told_as_a_document_in_progress(self, driving: Driving, version: str) -> None:
        with line_peer() as peer, driving(peer.port, hl7_version=version) as driver:
            assert driver.write_note(note()) == Known(note().marker)
        assert complaints(peer.heard[0]) == []
        assert parsed(peer.heard[0]).first("TXA").part(17) == "IP"


class TestTheAnswer:
    @pytest.mark.parametrize("code", ["AA", "CA"])
    def test_of_a_message_that_was_taken_is_enough(self, driving: Driving, code: str) -> None:
        with line_peer(says(code)) as peer, driving(peer.port) as driver:
            assert driver.book(visit()).remote_id == ID.hex

    @pytest.mark.parametrize(
        ("code", "error", "failure"),
        [
            ("AE", "", Refused),
            ("AE", "204", Refused),
            ("AR", "200", Refused),
            ("AR", "207", Refused),
            ("CE", "101", Refused),
            ("CR", "203", Refused),
            ("AE", "206", BeingEdited),
            ("AE", "207", TryLater),
            ("CE", "207", TryLater),
        ],
    )
    def test_of_one_that_was_not_decides_whether_it_is_sent_again(
        self, driving: Driving, code: str, error: str, failure: type[EMRError]
    ) -> None:
        with line_peer(says(code, error)) as peer, driving(peer.port) as driver:
            with pytest.raises(failure) as refused:
                driver.book(visit())
            assert type(refused.value) is failure
            assert refused.value.codes == ((code, error) if error else (code,))

    def test_that_quotes_a_patient_is_kept_by_its_codes(self, driving: Driving) -> None:
        def quoting(link: Any, text: str) -> None:
            number = text.split("|")[9]
            words = f"MSH|^~\\&|EPIC\rMSA|AE|{number}|Rosa O'Neil unknown\rERR|||204^O'Neil|E"
            link.sendall(framed(words.encode()))

        with line_peer(quoting) as peer, driving(peer.port) as driver:
            with pytest.raises(Refused) as refused:
                driver.book(visit())
            assert refused.value.codes == ("AE", "204")

    @pytest.mark.parametrize(
        "reaction",
        [
            is_silent,
            resets,
            writes(framed(b"")),
            writes(framed(b"not hl7")),
            writes(framed(b"MSH|^~\\&|EPIC\rMSA|AA|of-another\r")),
            writes(framed(b"MSH|^~\\&|EPIC\rMSA|XX|1\r")),
            writes(framed(b"MSH|^~\\&|EPIC||||||||||||||||EBCDIC\rMSA|AA|1\r")),
        ],
    )
    def test_that_is_none_leaves_us_unsure(self, driving: Driving, reaction: Reaction) -> None:
        with line_peer(reaction) as peer, driving(peer.port) as driver:
            with pytest.raises(Unsure):
                driver.book(visit())
            driver.book(visit())
            first, again = peer.control_ids
            assert first == again

    def test_of_nobody_is_for_later(self, driving: Driving) -> None:
        with driving(1) as driver, pytest.raises(TryLater):
            driver.book(visit())


class TestAMessageSentAgain:
    def test_bears_another_number_once_it_says_something_else(self, driving: Driving) -> None:
        """Who knows messages by their number would take the new time for the old message."""
        later = visit(start=START + timedelta(hours=1), end=START + timedelta(hours=2))
        with line_peer(is_silent) as peer, driving(peer.port) as driver:
            with pytest.raises(Unsure):
                driver.reschedule(visit(), FILLER)
            driver.reschedule(later, FILLER)
            first, again = peer.control_ids
        assert first != again


class TestPeople:
    def test_are_known_by_the_number_that_this_system_gave(
        self, driving: Driving, connection: EMRConnection
    ) -> None:
        numbers = (("elsewhere", "1"), (connection.source_system, "MRN7"))
        with driving(9) as driver:
            (found,) = driver.find_patient(person(identifiers=numbers))
            assert (found.remote_id, found.is_certain) == ("MRN7", True)
            assert driver.find_patient(person()) == []

    def test_without_one_can_go_by_ours(self, driving: Driving) -> None:
        with driving(9) as driver:
            assert Feature.CREATE_PATIENT in driver.features
            assert driver.create_patient(person()).remote_id == PATIENT.hex

    def test_of_ours_are_told_by_our_number(self, driving: Driving) -> None:
        told: Visit = visit(patient=Party(remote_id=PATIENT.hex))
        with line_peer() as peer, driving(peer.port) as driver:
            driver.book(told)
        assert parsed(peer.heard[0]).first("PID").part(3, 5) == "PI"


class TestWhatCannotBeAsked:
    @pytest.mark.parametrize(
        "ask",
        [
            lambda driver: driver.read("1"),
            lambda driver: driver.read_patient("1"),
            lambda driver: driver.read_resource("Patient", "1"),
            lambda driver: driver.find(visit(), since=NOW),
            lambda driver: driver.find_slots(visit()),
            lambda driver: driver.find_note(note()),
            lambda driver: driver.visits_between(NOW, NOW, provider_id="1"),
            lambda driver: driver.changes_since({}, now=NOW),
        ],
    )
    def test_is_not_offered(self, driving: Driving, ask: Any) -> None:
        with driving(9) as driver, pytest.raises(NotOffered):
            ask(driver)

    def test_is_no_feature(self, driving: Driving) -> None:
        with driving(9) as driver:
            assert not {Feature.READ, Feature.SEARCH, Feature.POLL} & driver.features


class TestTheWay:
    def test_to_another_machine_is_never_plain(self, connection: EMRConnection) -> None:
        connection.hl7_host = "emr.example.org"
        with pytest.raises(Unauthorized, match="no-tls"):
            HL7v2SIU(connection)

    def test_is_by_tls_where_the_connection_says_so(
        self, driving: Driving, settings: Any, tmp_path: Path
    ) -> None:
        theirs = certificate(tmp_path, "127.0.0.1")
        settings.HL7_CA_FILE = str(theirs.authority)
        tls = server_context(
            certificate=str(theirs.chain), key=str(theirs.key), client_authorities=None
        )
        with line_peer(tls=tls) as peer, driving(peer.port, hl7_tls=True) as driver:
            driver.book(visit())
            assert len(peer.heard) == 1

    def test_is_closed_where_our_certificates_cannot_be_read(
        self, connection: EMRConnection, settings: Any, tmp_path: Path
    ) -> None:
        settings.HL7_CA_FILE = str(tmp_path / "missing")
        connection.hl7_tls = True
        with pytest.raises(Unauthorized, match="certificates"):
            HL7v2SIU(connection)


def test_a_connection_without_a_zone_has_the_clinics(connection: EMRConnection) -> None:
    assert zone_of(connection) == connection.clinic.zone


class TestItsTurns:
    def test_each_message_takes_one_out_of_the_bucket(self, driving: Driving) -> None:
        with line_peer() as peer, driving(peer.port, burst=2, rate_per_second=0.1) as driver:
            driver.book(visit())
            driver.confirm(visit(), FILLER)
            with pytest.raises(TryLater):
                driver.cancel(visit(), FILLER)
            assert len(peer.heard) == 2

    def test_a_listener_that_is_away_is_left_alone_after_a_while(
        self, driving: Driving, connection: EMRConnection
    ) -> None:
        with driving(9) as driver:
            for _message in range(pacing.FAILURES):
                with pytest.raises(TryLater):
                    driver.book(visit())
        assert pacing.is_left_alone(connection, now=timezone.now())
