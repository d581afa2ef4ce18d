"""Outbound messages, judged by somebody else's strict reading of the standard."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hl7apy.exceptions import HL7apyException

from emr.failures import Refused
from emr.hl7v2.messages import control_id_of, mdm, siu
from emr.hl7v2.parsing import Message, decoded, encoded, parsed
from emr.visits import Party, Step
from scheduling.transitions import Status
from tests.emr.hl7v2.judge import complaints
from tests.emr.hl7v2.visits import (
    ID,
    MARKER,
    NOW,
    PATIENT,
    START,
    TYPES,
    VERSIONS,
    note,
    person,
    visit,
    wire,
)

EVENTS = {
    Step.BOOK: "S12",
    Step.RESCHEDULE: "S13",
    Step.CONFIRM: "S14",
    Step.ARRIVE: "S14",
    Step.REVERT: "S14",
    Step.COMPLETE: "S14",
    Step.CANCEL: "S15",
    Step.NO_SHOW: "S26",
}
STATUSES = {
    Step.COMPLETE: "Complete",
    Step.CANCEL: "Cancelled",
    Step.NO_SHOW: "Noshow",
    Step.ARRIVE: "Started",
}
LONG = "Knee pain & more | of it ^ than ~ fits \\ in SCH-7\nand a second line. " * 6


def said(step: Step = Step.BOOK, version: str = "2.5.1", **changes: Any) -> Message:
    return parsed(siu(visit(**changes), step, settings=wire(version), now=NOW))


class TestTheJudge:
    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("step", list(Step))
    @pytest.mark.parametrize("type_code", TYPES)
    def test_accepts_every_type_and_event_in_both_versions(
        self, type_code: str, step: Step, version: str
    ) -> None:
        text = siu(
            visit(type_code, cancel_code="PATIENT_REQUEST", cancel_reason="Patient asked"),
            step,
            settings=wire(version),
            now=NOW,
        )
        assert complaints(text) == []
        assert parsed(text).header.part(9, 2) == EVENTS[step]

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("status", list(Status))
    def test_accepts_every_status_with_a_filler_id_and_a_long_reason(
        self, status: Status, version: str
    ) -> None:
        told = visit(status=status, reason=LONG, has_arrived=True)
        text = siu(told, Step.RESCHEDULE, filler="E-77|1", settings=wire(version), now=NOW)
        assert complaints(text) == []

    @pytest.mark.parametrize("version", VERSIONS)
    def test_accepts_a_visit_of_which_little_is_known(self, version: str) -> None:
        bare = person(dob=None, sex="unknown", phone="", email="", address={}, language="")
        told = visit(
            patient=Party(), person=bare, code=None, reason="", marker="", place=Party(),
            provider=Party(remote_id="E9", name="Dr. Diallo"),
        )  # fmt: skip
        assert complaints(siu(told, Step.BOOK, settings=wire(version), now=NOW)) == []

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("number", ["+12125550123", "+442071838750", "not a number"])
    def test_accepts_any_telephone_number(self, number: str, version: str) -> None:
        told = visit(person=person(phone=number))
        assert complaints(siu(told, Step.BOOK, settings=wire(version), now=NOW)) == []

    @pytest.mark.parametrize("version", VERSIONS)
    def test_accepts_a_draft_note(self, version: str) -> None:
        assert complaints(mdm(note(), settings=wire(version), now=NOW)) == []

    def test_refuses_a_message_without_the_reason_of_the_event(self) -> None:
        text = siu(visit(), Step.BOOK, settings=wire(), now=NOW)
        with pytest.raises(HL7apyException, match="SCH_6"):
            complaints(text.replace("BOOK^Booked^L", ""))

    def test_refuses_a_segment_that_does_not_belong_there(self) -> None:
        text = siu(visit(), Step.BOOK, settings=wire("2.3"), now=NOW)
        assert complaints(f"{text}TXA|1|PN\r")

    def test_refuses_a_time_that_is_none(self) -> None:
        text = siu(visit(), Step.BOOK, settings=wire(), now=NOW)
        with pytest.raises(ValueError, match="not an HL7 valid date"):
            complaints(text.replace("20261124090000-0500", "2026-11-24"))

    def test_complains_of_a_word_that_is_in_no_table(self) -> None:
        text = siu(visit(), Step.BOOK, settings=wire(), now=NOW)
        assert complaints(text.replace("UNICODE UTF-8", "EBCDIC"))


class TestSIU:
    def test_bears_our_id_and_theirs(self) -> None:
        text = siu(visit(), Step.RESCHEDULE, filler="E77", settings=wire(), now=NOW)
        sch = parsed(text).first("SCH")
        assert (sch.part(1), sch.part(1, 2), sch.part(2)) == (ID.hex, "DAYSHEET", "E77")

    @pytest.mark.parametrize("step", list(Step))
    def test_says_where_the_visit_stands(self, step: Step) -> None:
        assert said(step).first("SCH").part(25) == STATUSES.get(step, "Booked")

    def test_says_of_a_patient_who_is_here_that_it_has_begun(self) -> None:
        assert said(Step.RESCHEDULE, has_arrived=True).first("SCH").part(25) == "Started"

    def test_says_local_time_with_its_offset_in_tq1_or_in_sch_11(self) -> None:
        newer, older = said().first("TQ1"), said(version="2.3")
        assert (newer.part(7), newer.part(8)) == ("20261124090000-0500", "20261124093000-0500")
        assert older.first("SCH").part(11, 4) == "20261124090000-0500"
        assert not older.all("TQ1")
        assert not said().first("SCH").part(11, 4)

    def test_tells_the_two_half_hours_of_a_clock_change_apart(self) -> None:
        first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
        starts = [
            said(start=at, end=at + timedelta(minutes=30)).first("TQ1").part(7)
            for at in (first, first + timedelta(hours=1))
        ]
        assert starts == ["20261101013000-0400", "20261101013000-0500"]

    def test_names_the_provider_by_npi_with_its_authority(self) -> None:
        for number, field in (("AIP", 3), ("PV1", 7), ("SCH", 16)):
            segment = said().first(number)
            assert segment.part(field) == "1234567893"
            assert segment.part(field, 9, 2) == "2.16.840.1.113883.4.6"
            assert segment.part(field, 13) == "NPI"

    def test_names_a_provider_without_npi_by_their_own_number(self) -> None:
        aip = said(provider=Party(remote_id="E9", name="Dr. Diallo")).first("AIP")
        assert (aip.part(3), aip.part(3, 9), aip.part(3, 13)) == ("E9", "EPIC", "")

    def test_names_the_patient_by_their_number_or_else_by_ours(self) -> None:
        pid = said().first("PID")
        assert (pid.part(3), pid.part(3, 4), pid.part(3, 5)) == ("MRN7", "EPIC", "MR")
        own = said(patient=Party(remote_id=PATIENT.hex)).first("PID")
        assert (own.part(3), own.part(3, 4), own.part(3, 5)) == (PATIENT.hex, "DAYSHEET", "PI")

    def test_refuses_a_patient_who_has_no_number(self) -> None:
        with pytest.raises(Refused, match="no-patient-number"):
            said(patient=Party(), person=None)

    def test_says_who_the_patient_is(self) -> None:
        pid = said().first("PID")
        assert (pid.part(5), pid.part(5, 2)) == ("O'Neil-Ñandú", "Rosa María")
        assert (pid.part(7), pid.part(8), pid.part(15)) == ("19800229", "F", "es")
        assert pid.part(11, 5) == "12180"

    def test_names_no_place_for_telehealth(self) -> None:
        assert not said(is_telehealth=True).all("AIL")
        assert said().first("AIL").part(3) == "RIV1"

    def test_gives_the_type_by_hl7s_word_only_where_it_means_the_same(self) -> None:
        follow_up, new = said().first("SCH"), said(type_code="NEW_PATIENT").first("SCH")
        assert (follow_up.part(8), follow_up.part(8, 4)) == ("FOLLOWUP", "FOLLOW_UP")
        assert (new.part(8), new.part(8, 3)) == ("NEW_PATIENT", "L")

    def test_gives_their_code_of_the_type_or_else_ours(self) -> None:
        assert said().first("AIS").part(3) == "1004"
        assert said(code=None).first("AIS").part(3) == "FOLLOW_UP"

    def test_gives_the_reason_of_a_cancellation(self) -> None:
        sch = said(Step.CANCEL, cancel_code="CLINIC_CLOSED", cancel_reason="Closed").first("SCH")
        assert (sch.part(6), sch.part(6, 2)) == ("CLINIC_CLOSED", "Closed")

    def test_keeps_what_a_patient_wrote_from_being_read_as_separators(self) -> None:
        message = said()
        assert message.first("SCH").part(7, 2) == visit().reason
        assert not message.all("NTE")

    def test_has_the_whole_of_a_long_reason_in_a_note(self) -> None:
        message = said(reason=LONG)
        assert message.first("NTE").part(3) == LONG.strip()
        assert len(message.first("SCH").part(7, 2)) < len(LONG)

    @pytest.mark.parametrize("char", ["\x0b", "\x1c", "\r", "\n", "\0", "\x85", "\ud800"])
    def test_lets_no_character_end_a_message(self, char: str) -> None:
        text = siu(visit(reason=f"a{char}MSH|b"), Step.BOOK, settings=wire(), now=NOW)
        assert len(parsed(text).segments) == len(said().segments)
        assert char == "\r" or char not in text
        assert encoded(text)

    @pytest.mark.parametrize(
        "changes",
        [{"place": Party(remote_id="x" * 21)}, {"patient": Party(remote_id="x" * 200)}],
    )
    def test_cuts_no_id(self, changes: dict[str, Any]) -> None:
        with pytest.raises(Refused, match="too-long"):
            siu(visit(**changes), Step.BOOK, settings=wire(), now=NOW)


class TestTheControlId:
    def test_is_the_marker_the_step_and_what_is_said(self) -> None:
        text = siu(visit(), Step.BOOK, settings=wire(), now=NOW)
        assert control_id_of(text).startswith(f"{MARKER}B")
        assert len(control_id_of(text)) == 20

    def test_is_the_same_when_sent_again(self) -> None:
        later = siu(visit(), Step.BOOK, settings=wire(), now=NOW + timedelta(hours=1))
        assert control_id_of(later) == control_id_of(said_text())

    @pytest.mark.parametrize(
        "changes",
        [
            {"start": START + timedelta(hours=1), "end": START + timedelta(hours=2)},
            {"provider": Party(npi="1053000004", name="Dr. Chen")},
            {"reason": "another"},
        ],
    )
    def test_is_another_when_anything_else_is_said(self, changes: dict[str, Any]) -> None:
        other = siu(visit(**changes), Step.BOOK, settings=wire(), now=NOW)
        assert control_id_of(other) != control_id_of(said_text())

    def test_is_another_for_each_step(self) -> None:
        ids = {control_id_of(siu(visit(), step, settings=wire(), now=NOW)) for step in Step}
        assert len(ids) == len(Step)

    @pytest.mark.parametrize("marker", ["", "short", "x" * 20, "7" * 36])
    def test_is_never_longer_than_twenty(self, marker: str) -> None:
        text = siu(visit(marker=marker), Step.BOOK, settings=wire(), now=NOW)
        assert len(control_id_of(text)) == 20


class TestTheCharacterSet:
    def test_is_utf_8_in_the_newer_version(self) -> None:
        assert decoded(encoded(said_text())) == said_text()
        assert parsed(said_text()).header.part(18) == "UNICODE UTF-8"

    @pytest.mark.parametrize(
        ("family", "label"),
        [("Ñandú", "8859/1"), ("Jones", ""), ("Łukasz", "UNICODE UTF-8")],
    )
    def test_is_the_narrowest_that_does_in_the_older(self, family: str, label: str) -> None:
        who = person(family=family, given="A")
        text = siu(visit(person=who), Step.BOOK, settings=wire("2.3"), now=NOW)
        assert parsed(text).header.part(18) == label
        assert decoded(encoded(text)) == text


class TestTheNote:
    def test_is_a_document_in_progress_of_this_visit(self) -> None:
        message = parsed(mdm(note(), settings=wire(), now=NOW))
        txa, obx = message.first("TXA"), message.first("OBX")
        assert (txa.part(2), txa.part(17), txa.part(12)) == ("PN", "IP", note().marker)
        assert message.first("PV1").part(50) == ID.hex
        assert (obx.part(3), obx.part(3, 3), obx.part(11)) == ("11506-3", "LN", "P")
        assert obx.part(5) == note().text

    def test_has_one_control_id_however_often_it_is_sent(self) -> None:
        first = mdm(note(), settings=wire(), now=NOW)
        later = mdm(note(), settings=wire(), now=NOW + timedelta(minutes=9))
        assert control_id_of(first) == control_id_of(later)
        assert len(control_id_of(first)) == 20


def said_text() -> str:
    return siu(visit(), Step.BOOK, settings=wire(), now=NOW)


def test_an_application_may_be_named_with_its_registry() -> None:
    settings = replace(wire(), there="EPIC^1.2.840.114350^ISO|HOSPITAL", here="")
    header = parsed(siu(visit(), Step.BOOK, settings=settings, now=NOW)).header
    assert (header.part(5), header.part(5, 2), header.part(6)) == (
        "EPIC", "1.2.840.114350", "HOSPITAL",
    )  # fmt: skip
