"""Patient as we tell it: who somebody is, how they are reached, and by which numbers known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emr.fhir.building import concept, filled, identifier
from emr.fhir.checking import checked
from emr.fhir.codes import BCP_47
from emr.fhir.systems import IDENTIFIER_TYPES
from emr.visits import Person

Json = dict[str, Any]
MEMBER = concept(IDENTIFIER_TYPES, "MB", "Member Number")
RECORD = concept(IDENTIFIER_TYPES, "MR", "Medical record number")
MOST_CANDIDATES = 10


def person(person: Person) -> Json:
    """Return a Patient to be made at the other side. Raises Invalid."""
    return checked(_patient(person))


def match_parameters(person: Person, *, only_certain: bool = False) -> Json:
    """Return what `Patient/$match` is asked: who this is, and for how many answers."""
    return checked(
        filled(
            {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "resource", "resource": _patient(person)},
                    {"name": "onlyCertainMatches", "valueBoolean": only_certain},
                    {"name": "count", "valueInteger": MOST_CANDIDATES},
                ],
            }
        )
    )


def _patient(person: Person) -> Json:
    return filled(
        {
            "resourceType": "Patient",
            "active": True,
            "identifier": list(_identifiers(person)),
            "name": [{"use": "official", "family": person.family, "given": person.given.split()}],
            "telecom": list(_telecoms(person)),
            "gender": person.sex,
            "birthDate": person.dob.isoformat() if person.dob else "",
            "address": [_address(person)],
            "communication": list(_languages(person)),
        }
    )


def _identifiers(person: Person) -> Iterator[Json]:
    for system, value in person.identifiers:
        yield identifier(system, value, kind=RECORD)
    yield identifier("", person.member_id, kind=MEMBER)


def _telecoms(person: Person) -> Iterator[Json]:
    if person.phone:
        yield {"system": "phone", "value": person.phone, "use": "mobile"}
    if person.email:
        yield {"system": "email", "value": person.email}


def _address(person: Person) -> Json:
    """Return the address of `line`, `city`, `state` and `postal_code`, as far as they are known."""
    known = filled(
        {
            "line": [person.address.get("line", "")],
            "city": person.address.get("city", ""),
            "state": person.address.get("state", ""),
            "postalCode": person.address.get("postal_code", ""),
        }
    )
    return {"use": "home", **known} if known else {}


def _languages(person: Person) -> Iterator[Json]:
    if person.language:
        yield {"language": concept(BCP_47, person.language), "preferred": True}
