"""Acknowledgements read and written."""

from __future__ import annotations

import pytest

from emr.hl7v2.acks import ack, read_ack
from emr.hl7v2.errors import Damaged
from emr.hl7v2.messages import siu
from emr.hl7v2.parsing import parsed
from emr.visits import Step
from tests.emr.hl7v2.judge import complaints
from tests.emr.hl7v2.visits import NOW, VERSIONS, visit, wire

HEAD = "MSH|^~\\&|EPIC|HOSP|DAYSHEET|RIV|20261123100000||ACK|1|P|2.5.1"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("code", "error"), [("AA", ""), ("AE", "207"), ("AR", "200")])
def test_an_answer_is_as_the_standard_has_it(code: str, error: str, version: str) -> None:
    text = siu(visit(), Step.BOOK, settings=wire(version), now=NOW)
    answer = ack(text, code, error)
    assert complaints(answer) == []
    read = read_ack(answer)
    assert (read.code, read.control_id) == (code, parsed(text).header.part(10))
    assert read.error_codes == ((error,) if error else ())


def test_an_answer_goes_back_to_who_sent_it() -> None:
    header = parsed(ack(siu(visit(), Step.BOOK, settings=wire(), now=NOW), "AA")).header
    assert (header.part(3), header.part(5), header.part(6)) == ("EPIC", "DAYSHEET", "RIVERSIDE")


@pytest.mark.parametrize("text", ["", "hello", "\x00\xff|^"])
def test_what_is_no_hl7_is_answered_as_well(text: str) -> None:
    assert read_ack(ack(text, "AR", "100")).control_id == "UNKNOWN"


@pytest.mark.parametrize(
    ("accept", "application", "code"),
    [("", "", "AA"), ("AL", "NE", "CA"), ("AL", "", "CA"), ("AL", "AL", "AA"), ("NE", "AL", "AA")],
)
def test_who_asks_for_acceptance_alone_is_told_of_acceptance(
    accept: str, application: str, code: str
) -> None:
    text = f"MSH|^~\\&|EPIC|H|D|R|20261123||SIU^S12|5|P|2.5.1|||{accept}|{application}\r"
    assert read_ack(ack(text, "AA")).code == code


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_a_message_that_was_taken_is_known(code: str) -> None:
    assert read_ack(f"{HEAD}\rMSA|{code}|77").is_taken


@pytest.mark.parametrize(
    ("err", "codes"),
    [
        ("ERR|PID^1^5^101", ("101",)),
        ("ERR|PID^1^5^101&Required field missing&HL70357", ("101",)),
        ("ERR|||204^Unknown key^HL70357|E|E77^Who^L", ("204", "E77")),
        ("ERR|||Rosa O'Neil was not found|E", ()),
        ("", ()),
    ],
)
def test_only_codes_are_kept_of_an_error(err: str, codes: tuple[str, ...]) -> None:
    answer = read_ack(f"{HEAD}\rMSA|AE|77|Rosa O'Neil is unknown\r{err}")
    assert answer.error_codes == codes
    assert "Rosa" not in repr(answer)


@pytest.mark.parametrize("text", ["", HEAD, f"{HEAD}\rMSA|ZZ|77", "hello"])
def test_what_acknowledges_nothing_is_damage(text: str) -> None:
    with pytest.raises(Damaged):
        read_ack(text)
