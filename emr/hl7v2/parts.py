"""Segments of outbound messages, strictly built; each field by its number in the standard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from emr.failures import Refused
from emr.hl7v2.codes import LOCAL, NPI_AUTHORITY, SEXES
from emr.hl7v2.escaping import OURS, escaped
from emr.hl7v2.times import written, written_day
from emr.visits import Code, Party, Person, Visit

V2_3, V2_5_1 = "2.3", "2.5.1"
LONGEST_TEXT = 199
LONGEST_CODE = 20
MINUTES = "MIN"
_TABLE = re.compile(r"[A-Z0-9+]{1,12}")
_AMERICAN = re.compile(r"\+1(\d{3})(\d{3})(\d{4})")
UTF8, LATIN = "UNICODE UTF-8", "8859/1"


@dataclass(frozen=True, slots=True)
class Wire:
    """How one connection is written to: its version, whose clock, and `application|facility`
    of both sides."""

    version: str
    zone: tzinfo
    here: str
    there: str

    @property
    def is_newer(self) -> bool:
        return self.version == V2_5_1

    @property
    def application(self) -> str:
        """Our name, short enough to be an assigning authority."""
        return authority(self.here) or "DAYSHEET"

    def at(self, moment: datetime) -> str:
        return written(moment, self.zone)


def segment(name: str, fields: Mapping[int, str]) -> str:
    """Write a segment; numbers that are missing are empty fields."""
    last = max((number for number, said in fields.items() if said), default=0)
    return OURS.field.join([name, *(fields.get(number, "") for number in range(1, last + 1))])


def header(fields: Mapping[int, str]) -> str:
    """Write MSH, whose first field is the separator itself and whose second names the others."""
    after = segment("", {number - 2: said for number, said in fields.items()})
    return f"MSH{OURS.field}{OURS.encoding}{after}"


def components(*said: str) -> str:
    return OURS.component.join(said).rstrip(OURS.component)


def text(said: str, longest: int = LONGEST_TEXT) -> str:
    return escaped(said, longest=longest)


def code(said: str, *, field: str, longest: int = LONGEST_TEXT) -> str:
    """Write an id, which means something else when cut. Raises Refused where it is too long."""
    whole = text(said, len(said) * 8)
    if len(whole) > longest:
        raise Refused("too-long", field)
    return whole


def coded(said: Code | None, *, field: str) -> str:
    """CE: code, words, and the system, which is local unless it is one of HL7's own tables."""
    if said is None:
        return ""
    system = said.system if _TABLE.fullmatch(said.system) else LOCAL
    return components(code(said.code, field=field), text(said.display), system)


def local(word: str, display: str) -> str:
    return components(text(word), text(display), LOCAL)


def side(said: str) -> tuple[str, str]:
    """Return the application and facility of `application|facility`; `^` parts an HD's parts."""
    application, _, facility = said.partition("|")
    return _hd(application), _hd(facility)


def authority(said: str) -> str:
    """Return the application's name alone, as the authority that assigned a number."""
    return text(said.partition("|")[0].partition(OURS.component)[0].strip(), LONGEST_CODE)


def _hd(said: str) -> str:
    return components(*(text(part) for part in said.strip().split(OURS.component)))


def msh(wire: Wire, event: tuple[str, str], control_id: str, *, body: str, now: datetime) -> str:
    """MSH. `event` is message and trigger; `body` what follows, for which MSH-18 must do."""
    ours, theirs = side(wire.here), side(wire.there)
    structure = {"SIU": "SIU_S12", "MDM": "MDM_T02"}[event[0]] if wire.is_newer else ""
    fields = {
        3: ours[0],
        4: ours[1],
        5: theirs[0],
        6: theirs[1],
        7: wire.at(now),
        9: components(*event, structure),
        10: control_id,
        11: "P",
        12: wire.version,
        18: character_set(wire, body),
    }
    return header(fields)


def character_set(wire: Wire, body: str) -> str:
    """Return what MSH-18 names: v2.3 knows no UTF-8, so ISO 8859-1 is used there where it can."""
    if wire.is_newer:
        return UTF8
    if body.isascii():
        return ""
    return LATIN if all(ord(char) < 256 for char in body) else UTF8


def sch_times(wire: Wire, visit: Visit) -> dict[int, str]:
    """SCH-9 to SCH-11; the last gave way to TQ1 in later versions."""
    timing = components("", "", f"M{minutes(visit)}", wire.at(visit.start), wire.at(visit.end))
    return {9: str(minutes(visit)), 10: MINUTES} | ({} if wire.is_newer else {11: timing})


def tq1(wire: Wire, visit: Visit) -> str:
    return segment(
        "TQ1",
        {1: "1", 6: f"{minutes(visit)}^{MINUTES}", 7: wire.at(visit.start), 8: wire.at(visit.end)},
    )


def minutes(visit: Visit) -> int:
    return int((visit.end - visit.start).total_seconds() // 60)


def pid(wire: Wire, patient: Party, person: Person | None) -> str:
    """PID: the number they know the patient by, else our own; never a social security number."""
    family, given = _name(person, patient)
    fields = {1: "1", 3: _numbers(wire, patient, person), 5: components(family, given)}
    if person is not None:
        fields |= {
            7: written_day(person.dob),
            8: SEXES.get(person.sex, "U"),
            11: _address(person.address),
            13: _telecoms(wire, person),
            15: text(person.language),
        }
    return segment("PID", fields)


def _name(person: Person | None, patient: Party) -> tuple[str, str]:
    family, given = (person or patient).family, (person or patient).given
    return text(family or given or patient.name), text(given if family else "")


def _numbers(wire: Wire, patient: Party, person: Person | None) -> str:
    ours = person.id.hex if person else ""
    if patient.remote_id and patient.remote_id != ours:
        number = code(patient.remote_id, field="PID-3")
        return components(number, "", "", authority(wire.there), "MR")
    if not ours:
        raise Refused("no-patient-number", "PID-3")
    return components(ours, "", "", wire.application, "PI")


def _address(address: Mapping[str, str]) -> str:
    said = [text(address.get(name, "")) for name in ("line", "city", "state", "postal_code")]
    line, city, state, postal_code = said
    return components(line, "", city, state, postal_code, "", "H") if any(said) else ""


def _telecoms(wire: Wire, person: Person) -> str:
    phone = _phone(wire, person.phone) if person.phone else ""
    email = components("", "NET", "Internet", text(person.email)) if person.email else ""
    return OURS.repetition.join(said for said in (phone, email) if said)


def _phone(wire: Wire, number: str) -> str:
    """XTN: a North American number by the standard's own form, any other as it is dialled."""
    known = _AMERICAN.fullmatch(number)
    if known is None:
        return components("", "PRN", "PH", *[""] * (8 if wire.is_newer else 5), text(number))
    area, exchange, line = known.groups()
    return components(f"({area}){exchange}-{line}", "PRN", "PH", "", "1", area, exchange + line)


def provider(wire: Wire, party: Party) -> str:
    """XCN: by NPI where that is known, else by the number they know the provider by."""
    names = (text(party.family or party.name), text(party.given))
    if party.npi:
        registry = OURS.sub.join(("", NPI_AUTHORITY, "ISO"))
        return components(text(party.npi), *names, *[""] * 5, registry, "L", "", "", "NPI")
    number, giver = code(party.remote_id, field="AIP-3"), authority(wire.there)
    return components(number, *names, *[""] * 5, giver, "L")


def place(party: Party) -> str:
    """PL: their id of the place, and its name; "" where neither is known."""
    point = code(party.remote_id, field="AIL-3", longest=LONGEST_CODE)
    return components(point, *[""] * 7, text(party.name)) if point or party.name else ""


def pv1(wire: Wire, visit: Visit, *, alternate: str = "") -> str:
    """PV1: an outpatient's visit, where and with whom; `alternate` is PV1-50."""
    where = "" if visit.is_telehealth else place(visit.place)
    fields = {1: "1", 2: "O", 3: where, 7: provider(wire, visit.provider), 50: alternate}
    return segment("PV1", fields)
