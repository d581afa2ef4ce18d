"""Acknowledgements, both ways: which message was taken, and by which codes one was not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import uuid4

from emr.hl7v2.errors import Damaged
from emr.hl7v2.escaping import OURS, escaped
from emr.hl7v2.parsing import Message, Segment, parsed
from emr.hl7v2.parts import components, header, segment

TAKEN = frozenset({"AA", "CA"})
NOT_TAKEN = frozenset({"AE", "AR", "CE", "CR"})
_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,20}")
_UNKNOWN = "UNKNOWN"
_NEWER = ("2.5", "2.6", "2.7", "2.8")


@dataclass(frozen=True, slots=True)
class Ack:
    """`code` is MSA-1, `control_id` the message's that it answers; no text of theirs is kept."""

    code: str
    control_id: str
    error_codes: tuple[str, ...] = ()

    @property
    def is_taken(self) -> bool:
        return self.code in TAKEN


def read_ack(text: str) -> Ack:
    """Read an acknowledgement. Raises Damaged for what is none."""
    message = parsed(text)
    msa = message.first("MSA")
    code = msa.part(1).upper()
    if code not in TAKEN | NOT_TAKEN:
        raise Damaged("not-an-ack")
    return Ack(code, msa.part(2), tuple(dict.fromkeys(_error_codes(message))))


def _error_codes(message: Message) -> list[str]:
    """Return what looks like a code in MSA-6 and in ERR-1 and ERR-3 to ERR-5 of any version."""
    found = [message.first("MSA").part(6)]
    for error in message.all("ERR"):
        found += [part for each in error.each(1) for part in (each.part(4), each.part(4, 2))]
        found += [error.part(3), error.part(5)]
    return [code for code in found if _CODE.fullmatch(code)]


def ack(text: str, code: str, error: str = "") -> str:
    """Answer a message by `AA`, `AE` or `AR`, with a code of table 0357 where it was not taken.

    Answers in the version and by the mode it was sent in; what is no HL7 is answered as well.
    """
    try:
        received = parsed(text).header
    except Damaged:
        received = Segment("MSH", (), OURS)
    control_id = _said(received, 10) or _UNKNOWN
    answer = _msa(_in_mode(received, code), control_id, error)
    errors = _err(error, version=_said(received, 12)) if error else ""
    return "".join(f"{one}\r" for one in (_msh(received), answer, errors) if one)


def _in_mode(received: Segment, code: str) -> str:
    """Say CA, CE or CR to whoever asks for an accept acknowledgement and no other."""
    accept, application = received.part(15).upper(), received.part(16).upper()
    is_accept = accept not in {"", "NE"} and application in {"", "NE"}
    return f"C{code[1]}" if is_accept else code


def _msh(received: Segment) -> str:
    version = _said(received, 12) or "2.3"
    kind = ("ACK", _said(received, 9, 2), "ACK") if version.startswith(_NEWER) else ("ACK",)
    fields = {
        3: _hd(received, 5),
        4: _hd(received, 6),
        5: _hd(received, 3),
        6: _hd(received, 4),
        7: _said(received, 7),
        9: components(*kind),
        10: uuid4().hex[:20],
        11: _said(received, 11) or "P",
        12: version,
    }
    return header(fields)


def _msa(code: str, control_id: str, error: str) -> str:
    return segment("MSA", {1: code, 2: control_id, 6: error})


def _err(error: str, *, version: str) -> str:
    if version.startswith(_NEWER):
        return segment("ERR", {3: components(error, "", "HL70357"), 4: "E"})
    return segment("ERR", {1: components("", "", "", error)})


def _said(received: Segment, number: int, component: int = 1) -> str:
    return escaped(received.part(number, component), longest=200)


def _hd(received: Segment, number: int) -> str:
    return components(*(_said(received, number, part) for part in (1, 2, 3)))
