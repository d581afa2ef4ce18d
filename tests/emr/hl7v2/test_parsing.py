"""Messages taken apart: other separators, other line ends, other character sets."""

from __future__ import annotations

import hl7
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.failures import Refused
from emr.hl7v2.errors import Damaged
from emr.hl7v2.escaping import OURS, escaped, fits, unescaped
from emr.hl7v2.messages import siu
from emr.hl7v2.parsing import decoded, parsed
from emr.visits import Step
from tests.emr.hl7v2.visits import NOW, visit, wire

HEAD = "MSH|^~\\&|EPIC|HOSP|||20261123100000||SIU^S12|77|P|2.3"
VISIBLE = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zs", "Zl", "Zp")))


@given(text=VISIBLE)
def test_what_is_escaped_comes_back_as_it_was(text: str) -> None:
    written = escaped(text, longest=8 * len(text) + 1)
    assert not set("|^~&") & set(written)
    assert unescaped(written, OURS) == text


@given(text=st.text(max_size=60), longest=st.integers(0, 40))
def test_text_is_cut_between_characters(text: str, longest: int) -> None:
    written = escaped(text, longest=longest)
    assert len(written) <= longest
    assert written.count("\\") % 2 == 0
    assert fits(text, longest=longest) == (written == escaped(text, longest=999))


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r"a\X41\b", "aAb"), (r"a\.br\b", "a\nb"), (r"\H\bold\N\ ", "bold "), (r"5\6", r"5\6"),
     (r"\Zxx\y", "y"), (r"\X4\y", "y"), ("\\", "\\"), (r"\\", "")],
)  # fmt: skip
def test_odd_escapes_are_read_without_a_word(written: str, meant: str) -> None:
    assert unescaped(written, OURS) == meant


def test_what_hides_in_an_escape_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    unescaped("Rosa \\\\ \\Q\\ O'Neil", OURS)
    assert not caplog.records


def test_other_separators_are_taken_from_the_message_itself() -> None:
    message = parsed("MSH$%@!*$EPIC$HOSP$$$20261123$$SIU%S12$77\rPID$1$$7%%%A*B!T!C@8")
    assert message.header.part(9, 2) == "S12"
    pid = message.first("PID")
    assert [each.part(1) for each in pid.each(3)] == ["7", "8"]
    assert (pid.part(3, 4, 1), pid.part(3, 4, 2)) == ("A", "B*C")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_any_line_end_ends_a_segment(end: str) -> None:
    assert parsed(end.join([HEAD, "SCH|1", "", "ZZZ|x"])).first("SCH").part(1) == "1"


def test_what_is_not_there_is_empty() -> None:
    message = parsed(HEAD)
    assert message.first("PID").part(5, 2, 3) == ""
    assert message.header.part(99) == ""


def test_two_quotation_marks_say_nothing() -> None:
    assert parsed(f'{HEAD}\rPID|1||""').first("PID").part(3) == ""


@pytest.mark.parametrize(
    "text", ["", "hello", "MSH", "MSH|", "MSHA^~\\&|x", "MSH||||||", "MSH|^^~\\&|x"]
)
def test_what_has_no_usable_header_is_damaged(text: str) -> None:
    with pytest.raises(Damaged):
        parsed(text)


def test_another_reader_finds_the_same_parts() -> None:
    text = siu(visit(), Step.BOOK, settings=wire(), now=NOW)
    ours, theirs = parsed(text), hl7.parse(text)
    for name in ("SCH", "PID", "TQ1", "AIS", "AIP"):
        for field in range(1, 20):
            for component in (1, 2):
                found = _theirs(theirs, name, field, component)
                assert ours.first(name).part(field, component) == found


def _theirs(message: hl7.Message, name: str, field: int, component: int) -> str:
    try:
        return str(message.extract_field(name, 1, field, 1, component, 1))
    except IndexError:
        return ""


class TestTheCharacterSet:
    def test_is_the_one_that_the_header_names(self) -> None:
        raw = f"{HEAD}||||||8859/1\rPID|||||Ñandú".encode("latin-1")
        assert decoded(raw).endswith("Ñandú")
        assert decoded(f"{HEAD}||||||UNICODE UTF-8\rPID|||||Ł".encode()).endswith("Ł")

    @pytest.mark.parametrize("codec", ["utf-8", "latin-1"])
    def test_is_found_out_where_it_names_none(self, codec: str) -> None:
        assert decoded(f"{HEAD}\rPID|||||Ñandú".encode(codec)).endswith("Ñandú")

    def test_that_nobody_knows_is_refused(self) -> None:
        with pytest.raises(Refused, match="character-set"):
            decoded(f"{HEAD}||||||EBCDIC\r".encode())

    def test_that_is_not_true_is_damage(self) -> None:
        with pytest.raises(Damaged):
            decoded(f"{HEAD}||||||UNICODE UTF-8\rPID|||||Ñ".encode("latin-1"))

    @pytest.mark.parametrize("raw", [b"", b"GET / HTTP/1.1", b"MSH", b"\xff\xfe"])
    def test_of_what_is_no_hl7_is_damage(self, raw: bytes) -> None:
        with pytest.raises(Damaged):
            decoded(raw)
