"""What an OperationOutcome says went wrong: its codes, never its text, which may name people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from emr.fhir.errors import Refused
from emr.fhir.tolerant import items, part, text

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,39}|[0-9]{1,7}")
_WANTED = {"error", "fatal", ""}
_MOST = 8


def codes(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the issue codes and the details' codes of errors, each once, at most eight.

    Also of one inside a Bundle. What does not look like a code is left out.
    """
    found = (code for outcome in _outcomes(body) for code in _codes(outcome))
    return tuple(dict.fromkeys(found))[:_MOST]


def _outcomes(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if body.get("resourceType") == "OperationOutcome":
        yield body
    for entry in items(body.get("entry")):
        yield from _outcomes(part(entry.get("resource")))
        yield from _outcomes(part(part(entry.get("response")).get("outcome")))


def _codes(outcome: Mapping[str, Any]) -> Iterator[str]:
    for issue in items(outcome.get("issue")):
        if _word(issue.get("severity")) in _WANTED:
            details = items(part(issue.get("details")).get("coding"))
            yield from filter(
                _CODE.fullmatch,
                (_word(issue.get("code")), *(_word(coding.get("code")) for coding in details)),
            )


def _word(value: object) -> str:
    try:
        return text(value)
    except Refused:
        return ""
