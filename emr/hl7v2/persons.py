"""PID in the shape of a FHIR Patient, so that one intake serves both.

Numbers that a state, an account or a visit has given stay out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emr.hl7v2 import codes
from emr.hl7v2.parsing import Field, Segment
from emr.hl7v2.times import read_day

Json = dict[str, Any]
_NEVER = frozenset({"SS", "SB", "DL", "PPN", "AN", "VN"})
_USES = {"L": "official", "": "official", "D": "usual", "M": "maiden", "N": "nickname"}


def patient_number(pid: Segment) -> str:
    """Return the number the sender knows a patient by: type MR in PID-3, else its first, else
    PID-2. Account, visit and state-given numbers are none."""
    listed = [each for number in (3, 2) for each in pid.each(number) if _is_number(each)]
    named = [each for each in listed if each.part(5).upper() == "MR"]
    return next((each.part(1) for each in [*named, *listed]), "")


def patient_resource(pid: Segment, number: str) -> Json:
    """Return PID as FHIR says it. The identifier that is `number` names no system: the sender's."""
    said: Json = {
        "resourceType": "Patient",
        "id": number,
        "identifier": list(_identifiers(pid, number)),
        "name": list(_names(pid)),
        "birthDate": read_day(pid.part(7)),
        "gender": codes.sex_of(pid.part(8)),
        "telecom": list(_telecoms(pid)),
        "address": [found for each in pid.each(11) if (found := _address(each))],
        "communication": _languages(pid.part(15)),
    }
    if pid.part(30).upper() == "Y":
        said["deceasedBoolean"] = True
    return {name: value for name, value in said.items() if value}


def _is_number(each: Field) -> bool:
    return bool(each.part(1)) and each.part(5).upper() not in _NEVER


def _identifiers(pid: Segment, number: str) -> Iterator[Json]:
    for each in pid.each(3):
        if not _is_number(each):
            continue
        kind = each.part(5).upper() or "MR"
        said: Json = {"value": each.part(1), "type": {"coding": [{"code": kind}]}}
        if each.part(1) != number:
            said["system"] = f"urn:oid:{each.part(4, 2)}" if each.part(4, 2) else each.part(4)
        elif kind != "MR":
            said["type"] = {"coding": [{"code": "MR"}]}
        yield said


def _names(pid: Segment) -> Iterator[Json]:
    for each in pid.each(5):
        given = [each.part(2), each.part(3)]
        name = {
            "use": _USES.get(each.part(7).upper(), "usual"),
            "family": each.part(1),
            "given": [one for one in given if one],
            "suffix": [each.part(4)] if each.part(4) else [],
            "prefix": [each.part(5)] if each.part(5) else [],
        }
        if name["family"] or name["given"]:
            yield {key: value for key, value in name.items() if value}


def _telecoms(pid: Segment) -> Iterator[Json]:
    for number, use in ((13, "home"), (14, "work")):
        for each in pid.each(number):
            is_mobile = each.part(2).upper() == "PRS" or each.part(3).upper() == "CP"
            if phone := _phone(each):
                yield {"system": "phone", "value": phone, "use": "mobile" if is_mobile else use}
            if "@" in each.part(4):
                yield {"system": "email", "value": each.part(4), "use": use}


def _phone(each: Field) -> str:
    whole = each.part(1) or each.part(12) or each.part(9)
    if not whole and each.part(7):
        country = f"+{each.part(5)}" if each.part(5) else ""
        whole = " ".join(part for part in (country, each.part(6), each.part(7)) if part)
    return "" if "@" in whole else whole


def _address(each: Field) -> Json:
    line = [part for part in (each.part(1), each.part(2)) if part]
    said = {
        "line": line,
        "city": each.part(3),
        "state": each.part(4),
        "postalCode": each.part(5),
    }
    known = {key: value for key, value in said.items() if value}
    return {"use": "home", **known} if known else {}


def _languages(code: str) -> list[Json]:
    tag = codes.language_of(code)
    coding = {"system": "urn:ietf:bcp:47", "code": tag}
    return [{"language": {"coding": [coding]}, "preferred": True}] if tag else []
