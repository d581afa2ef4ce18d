"""Judges a resource before it leaves: structure by fhir.resources, and what that lets through.

Those are the required codes, the targets of references, the order of moments and R4's invariants.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from emr.failures import Refused
from emr.fhir import invariants
from emr.fhir.bindings import ELEMENT_CODES, NAMED, RESOURCE_CODES, TARGETS, Words
from emr.fhir.models import build
from emr.fhir.references import target
from emr.fhir.walking import Found, at_path, by_name

Json = dict[str, Any]
_MOST = 8


class Invalid(Refused):
    """A resource of ours that is not R4. `codes` name elements and rules, never values."""


def checked(resource: Json) -> Json:
    """Return a copy of the resource, which may leave. Raises Invalid."""
    try:
        written: Json = json.loads(json.dumps(resource, allow_nan=False))
        build(written)
    except (LookupError, TypeError):
        raise Invalid("structure:resourceType") from None
    except ValueError as error:
        raise Invalid(*_places(error)) from None
    broken = tuple(dict.fromkeys(_broken(written)))
    if broken:
        raise Invalid(*broken[:_MOST])
    return written


def _places(error: ValueError) -> tuple[str, ...]:
    """Return where the structure is wrong, from pydantic's own list, without what stood there."""
    listed: Callable[[], list[Mapping[str, Any]]] | None = getattr(error, "errors", None)
    found = listed() if listed else []
    places = (".".join(str(step) for step in entry.get("loc", ())) for entry in found)
    return tuple(dict.fromkeys(f"structure:{place}"[:60] for place in places))[:_MOST] or (
        "structure",
    )


def _broken(resource: Json) -> Iterator[str]:
    kind = str(resource["resourceType"])
    for path, allowed in RESOURCE_CODES.get(kind, {}).items():
        yield from (
            f"code:{kind}.{path}" for code in at_path(resource, path) if code not in allowed
        )
    found = by_name(resource)
    for element, codes in ELEMENT_CODES.items():
        yield from _wrong_codes(found, element, codes)
    for path, allowed in TARGETS.get(kind, {}).items():
        yield from (
            f"reference:{kind}.{path}"
            for reference in at_path(resource, path)
            if not _is_right(reference, allowed, may_be_named=f"{kind}.{path}" in NAMED)
        )
    yield from invariants.broken(resource, found)
    for inner in _inside(resource):
        yield from _broken(inner)


def _wrong_codes(found: Found, element: str, codes: Mapping[str, Words]) -> Iterator[str]:
    for _path, held in found.get(element, []):
        if isinstance(held, Mapping):
            for name, allowed in codes.items():
                if name in held and held[name] not in allowed:
                    yield f"code:{element}.{name}"


def _is_right(reference: Mapping[str, Any], allowed: Words, *, may_be_named: bool) -> bool:
    """Whether it points, by a well-formed address or an identifier, at an allowed type."""
    written = reference.get("reference")
    if written is None:
        says_who = "identifier" in reference or (may_be_named and "display" in reference)
        return says_who and reference.get("type", "") in allowed | {""}
    found = target(str(written))
    return found is not None and found in allowed | {""}


def _inside(resource: Json) -> Iterator[Json]:
    """Yield the resources that a Bundle or Parameters carries, and those contained."""
    carried = [
        *at_path(resource, "entry.resource"),
        *at_path(resource, "parameter.resource"),
        *at_path(resource, "contained"),
    ]
    yield from (inner for inner in carried if isinstance(inner, dict))
