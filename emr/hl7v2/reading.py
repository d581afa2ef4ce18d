"""What an inbound SIU says of a visit, its patient and its provider. Lenient, but guesses nothing.

Without SCH-6, without zones, with other separators: read. An unknown event or status: refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any
from uuid import UUID

from emr.failures import Refused
from emr.hl7v2 import codes, errors
from emr.hl7v2.parsing import Field, Message, Segment, parsed
from emr.hl7v2.persons import patient_number, patient_resource
from emr.hl7v2.times import read_duration, read_instant
from emr.visits import Code, Remote

OWN_SYSTEM = "urn:ietf:rfc:3986"
PLACER, FILLER = "placer", "filler"
_HEX = re.compile(r"[0-9a-fA-F]{32}")
_VERSION = re.compile(r"2\.[1-8](\.[12])?")
_NEEDS_TIME = frozenset({"S12", "S13"})


@dataclass(frozen=True, slots=True)
class Header:
    """MSH, as far as it decides whether a message is for us."""

    control_id: str
    message: str
    event: str
    version: str
    sender: tuple[str, str]
    receiver: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Siu:
    """`patient` has the shape of a FHIR Patient; `npi` is empty where none is said; `reason_code`
    is SCH-6, why the message was sent. `npi` and `reason_code` are as written."""

    control_id: str
    event: str
    remote: Remote
    patient: Mapping[str, Any] = field(repr=False)
    patient_id: str
    npi: str
    reason_code: str


def read_header(text: str) -> Header:
    """Read MSH alone. Raises Damaged."""
    msh = parsed(text).header
    kind = msh.part(9).upper()
    return Header(
        control_id=msh.part(10),
        message=kind,
        event=msh.part(9, 2).upper(),
        version=msh.part(12),
        sender=(msh.part(3), msh.part(4)),
        receiver=(msh.part(5), msh.part(6)),
    )


def check_readable(text: str) -> Header:
    """Return the header of a message that `read_siu` is for.

    Raises Damaged, or Refused with a code of table 0357: another message, event or version.
    """
    header, message = read_header(text), parsed(text)
    if header.version and not _VERSION.fullmatch(header.version):
        raise Refused(errors.UNKNOWN_VERSION)
    if header.message != "SIU":
        raise Refused(errors.UNKNOWN_MESSAGE)
    if header.event not in codes.TAKEN:
        raise Refused(errors.UNKNOWN_EVENT)
    if not message.all("SCH"):
        raise Refused(errors.SEGMENT_MISSING)
    return header


def appointment_id(text: str) -> str:
    """Return the id by which the sender knows the appointment: the filler's, else the placer's."""
    sch = parsed(text).first("SCH")
    return sch.part(2) or sch.part(1)


def read_siu(text: str, *, zone: tzinfo) -> Siu:
    """Read a SIU; `zone` is whose clock shows times that come without an offset.

    Raises Damaged for what is no message, Refused for one that cannot be understood safely.
    """
    header, message = check_readable(text), parsed(text)
    sch = message.first("SCH")
    if not (sch.part(1) or sch.part(2)):
        raise Refused("no-appointment-id")
    start, end = _times(message, zone)
    if start is None and header.event in _NEEDS_TIME:
        raise Refused("no-start")
    providers = tuple(_providers(message))
    number = patient_number(message.first("PID"))
    return Siu(
        control_id=header.control_id,
        event=header.event,
        remote=_remote(message, header.event, start, end, providers, number, zone),
        patient=patient_resource(message.first("PID"), number),
        patient_id=number,
        npi=next((one.part(1) for one in providers if _is_npi(one)), ""),
        reason_code=sch.part(6),
    )


def _remote(
    message: Message,
    event: str,
    start: datetime | None,
    end: datetime | None,
    providers: tuple[Field, ...],
    patient_id: str,
    zone: tzinfo,
) -> Remote:
    sch = message.first("SCH")
    ids = (one.part(1) for one in providers if not _is_npi(one))
    return Remote(
        remote_id=sch.part(2) or sch.part(1),
        status=codes.fhir_status(event, sch.part(25) or sch.part(25, 2)),
        start=start,
        end=end,
        patient_id=patient_id,
        provider_ids=_unique(ids),
        place_ids=_unique(each.part(3) for each in message.all("AIL")),
        identifiers=tuple(_identifiers(sch)),
        codes=tuple(_codes(message)),
        reason=sch.part(7, 2),
        changed_at=_sent_at(message.header, zone),
        is_confirmed=codes.says_confirmed(sch.part(25), sch.part(6)),
    )


def _times(message: Message, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return start and end from TQ1, else SCH-11, else the first resource that says a start."""
    sch, tq1 = message.first("SCH"), message.first("TQ1")
    resources = [(one, 4) for one in message.all("AIS")]
    resources += [(one, 6) for name in ("AIP", "AIL", "AIG") for one in message.all(name)]
    starts = [tq1.part(7), sch.part(11, 4), *(one.part(number) for one, number in resources)]
    start = read_instant(next((said for said in starts if said), ""), zone)
    end = read_instant(tq1.part(8) or sch.part(11, 5), zone)
    if start and not end:
        length = _length(sch, tq1, resources)
        end = start + length if length else None
    if start and end and end <= start:
        raise Refused("ends-before-it-starts")
    return start, end


def _length(sch: Segment, tq1: Segment, resources: list[tuple[Segment, int]]) -> timedelta | None:
    said = [
        (tq1.part(6), tq1.part(6, 2)),
        (sch.part(11, 3), ""),
        (sch.part(9), sch.part(10)),
        *((one.part(number + 3), one.part(number + 4)) for one, number in resources),
    ]
    return next((length for pair in said if (length := read_duration(*pair))), None)


def _sent_at(msh: Segment, zone: tzinfo) -> datetime | None:
    try:
        return read_instant(msh.part(7), zone)
    except Refused:  # it orders messages, and decides nothing of the visit
        return None


def _providers(message: Message) -> Iterator[Field]:
    """Yield who the visit is with: the personnel that is booked, else the attending, else the
    contact."""
    for segments, number in (("AIP", 3), ("PV1", 7), ("SCH", 16)):
        found = [each for one in message.all(segments) for each in one.each(number)]
        yield from (each for each in found if each.part(1))


def _is_npi(provider: Field) -> bool:
    authority = {provider.part(9, 1).upper(), provider.part(9, 2)}
    return bool({"NPI", codes.NPI_AUTHORITY} & authority) or provider.part(13).upper() == "NPI"


def _identifiers(sch: Segment) -> Iterator[tuple[str, str]]:
    """Yield both ids of the appointment, and as a URN the one that may be ours."""
    for system, number in ((PLACER, 1), (FILLER, 2)):
        if said := sch.part(number):
            yield system, said
    if _HEX.fullmatch(sch.part(1)):
        yield OWN_SYSTEM, UUID(hex=sch.part(1)).urn


def _codes(message: Message) -> Iterator[Code]:
    """Yield what kind of visit it is, SCH-8 first, with the alternate codes beside."""
    said = list(message.first("SCH").each(8))
    said += [each for one in message.all("AIS") for each in one.each(3)]
    for each in said:
        for first in (1, 4):
            if each.part(first):
                yield Code(each.part(first + 2), each.part(first), each.part(first + 1))


def _unique(said: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in said if one))
