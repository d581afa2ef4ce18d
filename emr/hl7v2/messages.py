"""Outbound messages of a visit: SIU for what became of it, MDM^T02 for its draft note.

Strict: HL7 v2.3 or v2.5.1, segments in the standard's order, nothing it does not know.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from emr.hl7v2 import codes
from emr.hl7v2.escaping import OURS, escaped, fits
from emr.hl7v2.parts import (
    LONGEST_TEXT,
    MINUTES,
    Wire,
    code,
    coded,
    components,
    local,
    minutes,
    msh,
    pid,
    place,
    provider,
    pv1,
    sch_times,
    segment,
    text,
    tq1,
)
from emr.visits import Code, Note, Step, Visit

LONGEST_COMMENT = 60_000
LONGEST_ID = 75
LONGEST_CONTROL_ID = 20
SHORTEST_DIGEST = 3


def siu(visit: Visit, step: Step, *, filler: str = "", settings: Wire, now: datetime) -> str:
    """Write what a step makes of a visit, segments ended by carriage returns.

    `filler` is their own id of the appointment, where it is known. MSH-10 is the visit's marker, a
    letter for the step and a digest of all that is said but the clock: the same when sent again,
    another when anything else is said. Raises Refused where an id does not fit its field.
    """
    body = _joined(_siu_body(settings, visit, step, filler))
    control_id = _control_id(visit.marker, codes.LETTERS[step], body)
    head = msh(settings, ("SIU", codes.EVENTS[step]), control_id, body=body, now=now)
    return f"{head}\r{body}"


def mdm(note: Note, *, settings: Wire, now: datetime) -> str:
    """Write a draft note as a document in progress, with its text. Raises Refused."""
    body = _joined(_mdm_body(settings, note))
    control_id = _control_id(note.visit.marker or note.marker, codes.NOTE_LETTER, body)
    return f"{msh(settings, ('MDM', 'T02'), control_id, body=body, now=now)}\r{body}"


def control_id_of(message: str) -> str:
    return message.split(OURS.field, 10)[9]


def _siu_body(wire: Wire, visit: Visit, step: Step, filler: str) -> Iterator[str]:
    yield _sch(wire, visit, step, filler)
    if wire.is_newer:
        yield tq1(wire, visit)
    if not fits(visit.reason, longest=LONGEST_TEXT):
        comment = escaped(visit.reason, longest=LONGEST_COMMENT, keeps_lines=True)
        yield segment("NTE", {1: "1", 2: "P", 3: comment})
    yield pid(wire, visit.patient, visit.person)
    yield pv1(wire, visit)
    yield from _resources(wire, visit, step)


def _sch(wire: Wire, visit: Visit, step: Step, filler: str) -> str:
    here = wire.application
    fields = {
        1: components(visit.id.hex, here),
        2: code(filler, field="SCH-2", longest=LONGEST_ID),
        6: _event_reason(visit, step),
        7: components("", text(visit.reason)),
        8: _type(visit),
        **sch_times(wire, visit),
        16: provider(wire, visit.provider),
        20: components(here, here),
        25: codes.filler_status(step, has_arrived=visit.has_arrived),
    }
    return segment("SCH", fields)


def _event_reason(visit: Visit, step: Step) -> str:
    if step is Step.CANCEL and visit.cancel_code:
        return local(visit.cancel_code, visit.cancel_reason)
    return local(step.value, codes.REASONS[step])


def _type(visit: Visit) -> str:
    ours = local(visit.type_code, visit.type_label)
    if visit.type_code == "FOLLOW_UP":
        return components("FOLLOWUP", text(visit.type_label), "HL70276", ours)
    return ours


def _resources(wire: Wire, visit: Visit, step: Step) -> Iterator[str]:
    action = codes.ACTIONS.get(step, "U")
    start, length = wire.at(visit.start), str(minutes(visit))
    status = codes.filler_status(step, has_arrived=visit.has_arrived)
    service = visit.code or Code(codes.LOCAL, visit.type_code, visit.type_label)
    yield segment("RGS", {1: "1", 2: action})
    yield segment(
        "AIS",
        {1: "1", 2: action, 3: coded(service, field="AIS-3"), 4: start, 7: length, 8: MINUTES,
         10: status},
    )  # fmt: skip
    later = {6: start, 9: length, 10: MINUTES, 12: status}
    where = "" if visit.is_telehealth else place(visit.place)
    if where:
        yield segment("AIL", {1: "1", 2: action, 3: where, **later})
    who = provider(wire, visit.provider)
    yield segment("AIP", {1: "1", 2: action, 3: who, 4: local("PROVIDER", "Provider"), **later})


def _mdm_body(wire: Wire, note: Note) -> Iterator[str]:
    visit, here = note.visit, wire.application
    author = provider(wire, note.author)
    written_at = wire.at(note.written_at)
    yield segment("EVN", {1: "T02", 2: written_at})
    yield pid(wire, visit.patient, visit.person)
    yield pv1(wire, visit, alternate=components(visit.id.hex, "", "", here))
    yield segment(
        "TXA",
        {1: "1", 2: "PN", 3: "FT", 4: wire.at(visit.start), 5: author, 6: written_at, 9: author,
         12: components(code(note.marker, field="TXA-12"), here), 17: "IP"},
    )  # fmt: skip
    what = coded(Code(codes.LOINC, codes.PROGRESS_NOTE, "Progress note"), field="OBX-3")
    said = escaped(note.text, longest=LONGEST_COMMENT, keeps_lines=True)
    yield segment("OBX", {1: "1", 2: "FT", 3: what, 5: said, 11: "P"})


def _joined(segments: Iterator[str] | Sequence[str]) -> str:
    return "".join(f"{one}\r" for one in segments)


def _control_id(marker: str, letter: str, body: str) -> str:
    room = LONGEST_CONTROL_ID - len(marker) - 1
    if room < SHORTEST_DIGEST:
        return letter + _digest(f"{marker}\r{body}", LONGEST_CONTROL_ID - 1)
    return marker + letter + _digest(body, room)


def _digest(said: str, length: int) -> str:
    return b32encode(sha256(said.encode(errors="replace")).digest()).decode()[:length]
