"""Reads a Patient of theirs as somebody who may be meant: the grade that `$match` gave, the record
it was joined into, the insurance ids. Pure; who it surely is, is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emr.fhir import tolerant
from emr.fhir.building import filled, identifier
from emr.fhir.codes import codings
from emr.fhir.errors import Refused
from emr.fhir.patient_out import MEMBER
from emr.fhir.references import ids_of
from emr.fhir.tolerant import items, part
from emr.visits import Candidate

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


@dataclass(frozen=True, slots=True)
class Grade:
    """What the other side's matching says of a candidate; `score` from 0 to 1, if it says one."""

    score: float | None = None
    is_certain: bool = False


NO_GRADE = Grade()


def graded(entry: Mapping[str, Any]) -> Grade:
    """Read the score and the grade of an entry that `$match` answered."""
    search = part(entry.get("search"))
    extensions = [one for one in items(search.get("extension")) if text(one.get("url")) == GRADE]
    is_certain = any(text(one.get("valueCode")) == "certain" for one in extensions)
    return Grade(score=_number(search.get("score")), is_certain=is_certain)


def candidate(resource: Mapping[str, Any], grade: Grade = NO_GRADE) -> Candidate:
    """Return a Patient as a candidate; certain only by the other side's own word."""
    return Candidate(
        remote_id=text(resource.get("id")),
        score=grade.score,
        is_certain=grade.is_certain,
        replaced_by=replaced_by(resource),
        raw=resource,
    )


def replaced_by(resource: Mapping[str, Any]) -> str:
    """Return the id of the record that this one was joined into, else ""."""
    others = [
        link.get("other")
        for link in items(resource.get("link"))
        if link.get("type") == "replaced-by"
    ]
    return next(iter(ids_of(others, "Patient")), "")


def has_member_id(resource: Mapping[str, Any]) -> bool:
    """Say whether a Patient bears an identifier of type MB (member number)."""
    return any(_kind(one) == "MB" for one in items(resource.get("identifier")))


def with_member_ids(resource: Mapping[str, Any], numbers: Iterable[str]) -> Mapping[str, Any]:
    """Return a Patient with the insurance ids of its coverages among its identifiers."""
    known = [filled(identifier("", number, kind=MEMBER)) for number in numbers if number]
    return {**resource, "identifier": [*items(resource.get("identifier")), *known]}


def text(value: object) -> str:
    """Return the text that stands there; "" for what no row could hold."""
    try:
        return tolerant.text(value)
    except Refused:
        return ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _kind(one: Mapping[str, Any]) -> str:
    try:
        return next((coding.code for coding in codings(one.get("type"))), "")
    except Refused:
        return ""
