"""Reads the other side's patients as they are compared, and keeps them for a person to look at."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from emr.drivers.base import Driver
from emr.fhir.errors import Refused
from emr.fhir.identity import Identity
from emr.fhir.tolerant import items, part, text
from emr.intake.kinds import Reading
from emr.intake.patients import PatientIntake
from emr.outbox.certainty import Told
from emr.visits import Candidate, Person
from patients.matching import Facts

MOST_HOPS = 5
MOST_KEPT = 10


def followed(candidates: Iterable[Candidate], driver: Driver) -> list[Candidate]:
    """Put in the place of a record that was joined into another the one that it is now; each once.

    Raises as `read_patient` does.
    """
    survivors = (_survivor(candidate, driver) for candidate in candidates)
    return list({candidate.remote_id: candidate for candidate in survivors}.values())


def _survivor(candidate: Candidate, driver: Driver) -> Candidate:
    for _hop in range(MOST_HOPS):
        if not candidate.replaced_by:
            return candidate
        candidate = driver.read_patient(candidate.replaced_by)
    return candidate


def ours(person: Person) -> Facts:
    """Return what we know of a patient, as it is compared."""
    return Facts(
        given=person.given,
        family=person.family,
        dob=person.dob,
        sex=person.sex,
        phone=person.phone,
        email=person.email,
        member=person.member_id,
        street=person.address.get("line", ""),
        postal_code=person.address.get("postal_code", ""),
        numbers=frozenset(person.identifiers),
    )


def told(candidate: Candidate, *, source: str) -> Told:
    """Return a candidate as they told of it; numbers without a system are `source`'s own."""
    reading = reading_of(candidate)
    facts = None if reading is None else _facts(reading.columns(), candidate.raw, source)
    return Told(candidate.remote_id, facts, candidate.is_certain)


def reading_of(candidate: Candidate) -> Reading | None:
    """Return a candidate's record in our columns; None where it cannot be read, or is no longer
    in use there."""
    try:
        identity = Identity("Patient", candidate.remote_id, None)
        return PatientIntake().read(identity, candidate.raw)
    except Refused:
        return None


def as_kept(candidates: Iterable[Candidate]) -> str:
    """Return the candidates as JSON, to be sealed; without those whom no id tells apart."""
    named = [asdict(candidate) for candidate in candidates if candidate.remote_id]
    return json.dumps(named[:MOST_KEPT], default=str)


def kept_in(text_kept: str) -> list[Candidate]:
    return [Candidate(**each) for each in json.loads(text_kept)]


def _facts(columns: dict[str, Any], raw: Any, source: str) -> Facts:
    return Facts(
        given=columns["given_name"],
        family=columns["family_name"],
        suffix=columns["name_suffix"],
        dob=columns["dob"],
        sex=columns["sex"],
        phone=columns["phone"],
        email=columns["email"],
        member=_member(raw),
        street=columns["address_line"],
        postal_code=columns["postal_code"],
        numbers=frozenset((system or source, value) for system, value in columns["record_numbers"]),
    )


def _member(raw: Any) -> str:
    """Return the insurance number that a Patient bears (type MB), if any."""
    for entry in items(part(raw).get("identifier")):
        codings = items(part(entry.get("type")).get("coding"))
        if any(text(coding.get("code")) == "MB" for coding in codings):
            return text(entry.get("value"))
    return ""
