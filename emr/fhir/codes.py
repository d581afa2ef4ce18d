"""Codes inside CodeableConcepts: languages and specialties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from emr.fhir.tolerant import flag, items, text

BCP_47 = "urn:ietf:bcp:47"
NUCC = "http://nucc.org/provider-taxonomy"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LONGEST_LANGUAGE = 35


@dataclass(frozen=True, slots=True)
class Coding:
    system: str
    code: str
    display: str


def codings(concepts: object) -> Iterator[Coding]:
    """Yield every coding of one or several concepts; the concept's text is the spare display."""
    for concept in items(concepts):
        spare = text(concept.get("text"))
        for coding in items(concept.get("coding")):
            display = text(coding.get("display")) or spare
            yield Coding(text(coding.get("system")), text(coding.get("code")), display)


def languages(concepts: object) -> tuple[str, ...]:
    """Return the BCP 47 tags of language concepts, each once, in their order."""
    tags = (
        coding.code
        for coding in codings(concepts)
        if coding.system in {BCP_47, ""}
        and len(coding.code) <= _LONGEST_LANGUAGE
        and _LANGUAGE.fullmatch(coding.code)
    )
    return tuple(dict.fromkeys(tags))


def preferred_language(communication: object) -> str:
    """Return the tag of a patient's preferred language, else of the first known, else ""."""
    entries = sorted(items(communication), key=lambda entry: not flag(entry.get("preferred")))
    return next((tag for entry in entries for tag in languages(entry.get("language"))), "")


def specialty(concepts: object) -> Coding | None:
    """Return the first NUCC taxonomy coding, if there is one."""
    found = (coding for coding in codings(concepts) if coding.system == NUCC and coding.code)
    return next(found, None)
