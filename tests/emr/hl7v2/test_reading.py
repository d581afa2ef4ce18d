"""Inbound messages, as careless as real senders write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from emr.failures import Refused
from emr.fhir.patient import read_patient
from emr.hl7v2.errors import Damaged
from emr.hl7v2.messages import siu
from emr.hl7v2.reading import Siu, read_siu
from emr.visits import Step
from tests.emr.hl7v2.visits import ID, NEW_YORK, NOW, START, VERSIONS, visit, wire

NINE = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
# The way one vendor really writes: v2.3, no SCH-6, local times without a zone, a Z segment.
LENGTH, TIMING = "30|MIN", "^^30^20261124090000^20261124093000"
CONTACT, NO = "1000^Diallo^Amara", "|||||||||"
NUMBERS = "E7^^^EPI^EPI~12345678^^^HOSP^MR~999-12-3456^^^USA^SS"
TELECOMS = "(518)555-0123^PRN^CP~^NET^Internet^jane@example.org"
CARELESS = "\n".join(
    (
        "MSH|^~\\&|EPIC|HOSP|DAYSHEET||20261123101500||SIU^S12|4711|P|2.3",
        f"SCH|12345^EPIC|67890^EPIC||||||OFFICE VISIT|{LENGTH}|{TIMING}|||||{CONTACT}{NO}Scheduled",
        "ZSC|whatever",
        f"PID|1||{NUMBERS}||DOE^JANE^Q^^MS||19740131|F|||1 MAIN ST^^TROY^NY^12180||{TELECOMS}||ENG",
        "PV1|1|O|CLINIC^^^HOSP||||1234567893^DIALLO^AMARA^^^^^^NPI^^^^NPI",
        "RGS|1",
        "AIS|1||1004^OFFICE VISIT|20261124090000",
        "AIL|1||RIV1^^^HOSP",
        "AIP|1||1000^DIALLO^AMARA~1234567893^DIALLO^AMARA^^^^^^&2.16.840.1.113883.4.6&ISO",
    )
)


def read(text: str = CARELESS) -> Siu:
    return read_siu(text, zone=NEW_YORK)


def changed(*pairs: tuple[str, str]) -> str:
    text = CARELESS
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


class TestACarelessMessage:
    def test_is_read_without_the_reason_of_the_event(self) -> None:
        found = read()
        assert (found.control_id, found.event, found.reason_code) == ("4711", "S12", "")
        assert found.remote.remote_id == "67890"
        assert found.remote.status == "booked"

    def test_says_times_by_the_clock_of_the_place(self) -> None:
        remote = read().remote
        assert (remote.start, remote.end) == (NINE, NINE + timedelta(minutes=30))
        assert remote.changed_at == datetime(2026, 11, 23, 15, 15, tzinfo=UTC)

    def test_says_who_by_npi_and_by_their_own_numbers(self) -> None:
        assert read().npi == "1234567893"
        assert read().remote.provider_ids == ("1000",)
        assert read().remote.place_ids == ("RIV1",)

    def test_says_which_patient_by_the_medical_record_number(self) -> None:
        assert read().patient_id == read().remote.patient_id == "12345678"

    def test_has_a_patient_that_the_intake_can_read(self) -> None:
        says = read_patient(read().patient)
        assert (says.name.given, says.name.family, says.name.prefix) == ("JANE Q", "DOE", "MS")
        assert str(says.dob) == "1974-01-31"
        assert (says.sex, says.language) == ("female", "en")
        assert says.phones == ("(518)555-0123",)
        assert says.emails == ("jane@example.org",)
        assert (says.address.line, says.address.postal_code) == ("1 MAIN ST", "12180")
        assert ("", "12345678") in [(one.system, one.value) for one in says.record_numbers]

    def test_leaves_the_social_security_number_where_it_was(self) -> None:
        assert "999-12-3456" not in repr(dict(read().patient))

    def test_says_what_kind_of_visit(self) -> None:
        assert [code.code for code in read().remote.codes] == ["OFFICE VISIT", "1004"]

    def test_shows_nobody_in_a_trace(self) -> None:
        assert "DOE" not in repr(read())
        assert "JANE" not in repr(read())


class TestTimes:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_are_found_where_each_version_has_them(self, version: str) -> None:
        text = siu(visit(), Step.BOOK, settings=wire(version), now=NOW)
        remote = read_siu(text, zone=UTC).remote
        assert (remote.start, remote.end) == (START, START + timedelta(minutes=30))

    def test_are_found_in_the_resources_where_they_are_nowhere_else(self) -> None:
        remote = read(changed(("^^30^20261124090000^20261124093000", ""))).remote
        assert (remote.start, remote.end) == (NINE, NINE + timedelta(minutes=30))

    def test_end_by_the_length_where_no_end_is_said(self) -> None:
        remote = read(changed(("^20261124093000", ""), ("|30|MIN|^^30", "|45|MIN|^^"))).remote
        assert remote.end == NINE + timedelta(minutes=45)

    def test_without_an_offset_are_never_taken_by_another_clock(self) -> None:
        assert read_siu(CARELESS, zone=UTC).remote.start == NINE - timedelta(hours=5)

    @pytest.mark.parametrize("start", ["20261124", "20260308023000", "soon"])
    def test_that_cannot_be_known_are_refused(self, start: str) -> None:
        with pytest.raises(Refused):
            read(changed(("^20261124090000^20261124093000", f"^{start}")))

    def test_that_end_before_they_start_are_refused(self) -> None:
        with pytest.raises(Refused, match="ends-before-it-starts"):
            read(changed(("^20261124093000", "^20261124080000")))

    def test_of_a_booking_must_be_said(self) -> None:
        without = (("^^30^20261124090000^20261124093000", ""), ("|20261124090000", "|"))
        with pytest.raises(Refused, match="no-start"):
            read(changed(*without))
        assert read(changed(*without, ("SIU^S12", "SIU^S15"))).remote.start is None


class TestStatuses:
    @pytest.mark.parametrize(
        ("event", "word", "status"),
        [
            ("S12", "Booked", "booked"),
            ("S12", "", "booked"),
            ("S13", "Overbook", "booked"),
            ("S14", "Arrived", "arrived"),
            ("S14", "Started", "arrived"),
            ("S14", "CHECKED-IN", "checked-in"),
            ("S14", "Complete", "fulfilled"),
            ("S14", "Completed", "fulfilled"),
            ("S14", "No Show", "noshow"),
            ("S14", "Canceled", "cancelled"),
            ("S14", "Waitlist", "waitlist"),
            ("S15", "Booked", "cancelled"),
            ("S15", "whatever", "cancelled"),
            ("S17", "", "entered-in-error"),
            ("S26", "Booked", "noshow"),
        ],
    )
    def test_are_fhirs_own_words(self, event: str, word: str, status: str) -> None:
        text = changed(("SIU^S12", f"SIU^{event}"), ("|Scheduled", f"|{word}"))
        assert read(text).remote.status == status

    def test_that_nobody_knows_are_refused(self) -> None:
        with pytest.raises(Refused, match="status"):
            read(changed(("|Scheduled", "|Frozen")))

    def test_say_that_the_patient_confirmed(self) -> None:
        assert read(changed(("|Scheduled", "|Confirmed"))).remote.is_confirmed
        assert not read().remote.is_confirmed


class TestOurs:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("step", list(Step))
    def test_come_back_as_they_went_out(self, step: Step, version: str) -> None:
        text = siu(visit(), step, filler="E77", settings=wire(version), now=NOW)
        found = read_siu(text, zone=UTC)
        assert found.remote.remote_id == "E77"
        assert ("urn:ietf:rfc:3986", ID.urn) in found.remote.identifiers
        assert found.remote.reason == visit().reason
        assert found.npi == visit().provider.npi
        assert found.patient_id == "MRN7"
        assert found.remote.is_confirmed == (step is Step.CONFIRM)

    def test_are_known_by_our_id_alone_where_they_have_none_of_theirs(self) -> None:
        text = siu(visit(), Step.BOOK, settings=wire(), now=NOW)
        assert UUID(hex=read_siu(text, zone=UTC).remote.remote_id) == ID


class TestWhatIsNotRead:
    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("SIU^S12", "ADT^A04", "200"),
            ("SIU^S12", "SIU^S23", "201"),
            ("|2.3", "|3.0", "203"),
            ("SCH|", "SCX|", "100"),
            ("12345^EPIC|67890^EPIC", "|", "no-appointment-id"),
        ],
    )
    def test_is_refused_by_a_code(self, old: str, new: str, code: str) -> None:
        with pytest.raises(Refused) as refused:
            read(changed((old, new)))
        assert refused.value.codes == (code,)

    def test_is_damage_where_it_is_no_message(self) -> None:
        with pytest.raises(Damaged):
            read("hello")
