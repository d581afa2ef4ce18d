"""A judge of R4 resources that uses nothing of ours: structure by fhirkit (made from the official
R4 4.0.1 definitions), codes and targets by the metadata of fhir.resources, rules by FHIRPath."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import fhirkit
import fhirpathpy
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

Json = dict[str, Any]

# The expressions of R4's own StructureDefinitions, by the resource or data type of their context.
RULES = {
    "AppointmentParticipant": {"app-1": "type.exists() or actor.exists()"},
    "Appointment": {
        "app-2": "start.exists() = end.exists()",
        "app-3": "(start.exists() and end.exists())"
        " or (status in ('proposed' | 'cancelled' | 'waitlist'))",
        "app-4": "cancelationReason.exists() implies (status='no-show' or status='cancelled')",
    },
    "ContactPoint": {"cpt-2": "value.empty() or system.exists()"},
    "Period": {"per-1": "start.empty() or end.empty() or (start <= end)"},
    "Reference": {"ref-1": "reference.exists() or identifier.exists() or display.exists()"},
    "Coding": {"cod-1": "code.exists()"},
}

# What the library's lists hold where the definitions leave more room than they spell out.
OPEN = {"+", "mime"}


def complaints(resource: Json) -> list[str]:
    """Return what is wrong with a resource, nothing if it may be called R4."""
    structure = [str(issue) for issue in fhirkit.validate(resource)]
    if structure:
        return structure
    built = get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return [*_codes(built), *_rules(built)]


def _models(value: Any) -> Iterator[BaseModel]:
    """Yield a resource and every element in it."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, BaseModel):
            yield item
            for name in type(item).model_fields:
                yield from _models(getattr(item, name))


def _codes(built: BaseModel) -> Iterator[str]:
    for element in _models(built):
        for name, column in type(element).model_fields.items():
            extra = column.json_schema_extra
            declared = extra if isinstance(extra, dict) else {}
            held = getattr(element, name)
            for value in held if isinstance(held, list) else [held]:
                yield from _one(f"{type(element).__name__}.{name}", value, declared)


def _one(path: str, value: Any, declared: Any) -> Iterator[str]:
    allowed = declared.get("enum_values")
    if value is not None and allowed and not (OPEN & set(allowed) or value in allowed):
        yield f"{path}: {value} is not one of {allowed}"
    targets = declared.get("enum_reference_types")
    written = getattr(value, "reference", None)
    if written and targets and "Resource" not in targets and written.split("/")[-2] not in targets:
        yield f"{path}: {written} is not one of {targets}"


def _rules(built: BaseModel) -> Iterator[str]:
    for element in _models(built):
        kind = type(element).__name__
        if kind not in RULES:
            continue
        as_json = element.model_dump()  # type: ignore[call-arg, unused-ignore]
        for name, expression in RULES[kind].items():
            if _compiled(expression)(as_json) != [True]:
                yield f"{name} of {kind}"


@cache
def _compiled(expression: str) -> Callable[..., list[Any]]:
    return fhirpathpy.compile(expression)
