"""References: which are well formed, what type they point at, and which id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emr.fhir.errors import Refused
from emr.fhir.identity import referenced_id
from emr.fhir.tolerant import part, text

_RELATIVE = r"(?P<type>[A-Z][A-Za-z]{1,40})/[A-Za-z0-9.\-]{1,64}(/_history/[A-Za-z0-9.\-]{1,64})?"
_WRITTEN = re.compile(rf"(https?://[^\s?#]+/)?{_RELATIVE}")
_UNTYPED = re.compile(
    r"urn:uuid:[0-9a-f-]{36}|urn:oid:[0-2](\.(0|[1-9]\d*))+|#[A-Za-z0-9.\-]{1,64}"
)


def target(written: str) -> str | None:
    """Return the type a reference points at, "" where it does not say, None for a malformed one."""
    found = _WRITTEN.fullmatch(written)
    if found:
        return found["type"]
    return "" if _UNTYPED.fullmatch(written) else None


def type_of(reference: object) -> str:
    """Return the type a reference of theirs points at, by its address or its own word; else ""."""
    held = part(reference)
    return target(_written(held)) or _text(held.get("type"))


def ids_of(references: Iterable[object], *types: str) -> tuple[str, ...]:
    """Return the ids of the references to these types, each once, in their order."""
    found = (_id(reference) for reference in references if type_of(reference) in types)
    return tuple(dict.fromkeys(filter(None, found)))


def _id(reference: object) -> str:
    try:
        return referenced_id(reference)
    except Refused:
        return ""


def _written(reference: Mapping[str, Any]) -> str:
    return _text(reference.get("reference"))


def _text(value: object) -> str:
    try:
        return text(value)
    except Refused:
        return ""
