"""Which identifiers may be kept. Only what is known to be harmless is named; all else is dropped.

Social security, licence and passport numbers are looked for besides, because systems are known
to label them as something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emr.fhir.codes import codings
from emr.fhir.tolerant import items, part, text

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
NPI_OID = "urn:oid:2.16.840.1.113883.4.6"
_NEVER_TYPES = {"SS", "SB", "DL", "PPN"}
_NEVER_SYSTEMS = re.compile(
    r"us-ssn|passport|driver|licen[cs]e"
    r"|2\.16\.840\.1\.113883\.4\.1$"  # US social security
    r"|2\.16\.840\.1\.113883\.4\.3(\.|$)"  # US driver's licences, by state
    r"|2\.16\.840\.1\.113883\.4\.330(\.|$)",  # passports, by country
    re.IGNORECASE,
)
_SSN_SHAPE = re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A record number and the system that gave it; no system means the bundle's own source."""

    system: str
    value: str


def record_numbers(identifiers: object) -> tuple[Identifier, ...]:
    """Return the medical record numbers (type MR) in use, each once."""
    found = (
        Identifier(text(entry.get("system")), text(entry.get("value")))
        for entry in _usable(identifiers)
        if "MR" in _types(entry)
    )
    return tuple(dict.fromkeys(number for number in found if number.value))


def npis(identifiers: object) -> tuple[str, ...]:
    """Return what is written as National Provider Identifiers, right or wrong."""
    found = (
        text(entry.get("value"))
        for entry in _usable(identifiers)
        if text(entry.get("system")) in {NPI_SYSTEM, NPI_OID} or "NPI" in _types(entry)
    )
    return tuple(dict.fromkeys(value for value in found if value))


def _usable(identifiers: object) -> Iterator[Mapping[str, Any]]:
    for entry in items(identifiers):
        never = (
            _NEVER_TYPES & _types(entry)
            or _NEVER_SYSTEMS.search(text(entry.get("system")))
            or _SSN_SHAPE.fullmatch(text(entry.get("value")))
        )
        if not never and text(entry.get("use")) != "old":
            yield entry


def _types(entry: Mapping[str, Any]) -> set[str]:
    concept = entry.get("type")
    said = text(part(concept).get("text")).lower()
    named = {"MR"} if said == "medical record number" else set()
    return {coding.code for coding in codings(concept)} | named
