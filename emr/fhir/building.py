"""The small pieces of which resources are built. FHIR forbids what is empty: `filled` drops it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def filled(value: Mapping[str, Any]) -> Json:
    """Return an object without its empty parts, at any depth; False and 0 stay."""
    kept = ((key, _filled(part)) for key, part in value.items())
    return {key: part for key, part in kept if not _is_empty(part)}


def concept(system: str = "", code: str = "", display: str = "", *, text: str = "") -> Json:
    """Return a CodeableConcept of at most one coding."""
    return {"coding": [coding(system, code, display)] if code else [], "text": text}


def coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code, "display": display}


def reference(resource_type: str, remote_id: str, *, display: str = "") -> Json:
    """Return a relative reference; an empty one where there is no id."""
    if not remote_id:
        return {}
    return {"reference": f"{resource_type}/{remote_id}", "display": display}


def identifier(
    system: str, value: str, *, use: str = "", kind: Mapping[str, Any] | None = None
) -> Json:
    return {"use": use, "type": dict(kind or {}), "system": system, "value": value} if value else {}


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return filled(value)
    if isinstance(value, list | tuple):
        return [part for item in value if not _is_empty(part := _filled(item))]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}
