"""Which resources a search finds: the search parameters of R4 that the portal asks by.

Pure. A parameter that is not known here is refused, as careful servers do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

Resource = Mapping[str, Any]
Query = Sequence[tuple[str, str]]
Matcher = Callable[[Resource, str], bool]

_CONTROL = {"_count", "_sort", "_offset", "_format", "_total", "_include", "_elements"}
_PREFIXES = ("ge", "gt", "le", "lt", "eq")


class UnknownParameter(Exception):
    """The search names something that this server cannot search by."""


def found(resources: Sequence[Resource], query: Query) -> list[Resource]:
    """Return those for which every parameter holds, sorted by `_sort` if that is `_lastUpdated`.

    Raises UnknownParameter, and ValueError for a date that is none.
    """
    wanted = [(name, value) for name, value in query if name not in _CONTROL]
    hits = [one for one in resources if all(_holds(one, *pair) for pair in wanted)]
    order = dict(query).get("_sort", "")
    if order.lstrip("-") in {"_lastUpdated", "date"}:
        hits.sort(key=lambda one: _when(one, order.lstrip("-")), reverse=order.startswith("-"))
    return hits


def _when(resource: Resource, name: str) -> str:
    said = resource.get("meta", {}).get("lastUpdated") if name == "_lastUpdated" else None
    return str(said or resource.get("start") or resource.get("date") or "")


def check(resource_type: str, query: Query, *, only: frozenset[str] | None = None) -> None:
    """Raise UnknownParameter for what a type, or this server of it (`only`), does not know."""
    known = set(MATCHERS) & PARAMETERS[resource_type] | {"_id", "_lastUpdated"}
    for name, _value in query:
        base = name.split(":")[0]
        if base in _CONTROL:
            continue
        if base not in known or (only is not None and base not in only):
            raise UnknownParameter(name)


def _holds(resource: Resource, name: str, value: str) -> bool:
    matcher = MATCHERS.get(name.split(":")[0])
    if matcher is None:
        raise UnknownParameter(name)
    exact = name.endswith(":exact")
    return any(_matches(matcher, resource, one, exact=exact) for one in _either(value))


def _either(value: str) -> list[str]:
    """Return what is named between commas; an escaped comma is none."""
    return [one.replace("\\,", ",") for one in re.split(r"(?<!\\),", value)]


def _matches(matcher: Matcher, resource: Resource, value: str, *, exact: bool) -> bool:
    if exact and matcher in {_family, _given}:
        parts = _name_parts(resource, "family" if matcher is _family else "given")
        return value in parts
    return matcher(resource, value)


def token(entries: object, value: str) -> bool:
    """Say whether a `system|value` or bare value is among identifiers, codings or contacts."""
    *before, code = re.split(r"(?<!\\)\|", value)
    system, bar = re.sub(r"\\(.)", r"\1", "".join(before)), bool(before)
    code = re.sub(r"\\(.)", r"\1", code)
    for entry in _list(entries):
        said = entry.get("value", entry.get("code", ""))
        if said == code and (not bar or entry.get("system", "") == system):
            return True
    return False


def _list(value: object) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        return [value]
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _codings(concepts: object) -> list[Mapping[str, Any]]:
    return [coding for concept in _list(concepts) for coding in _list(concept.get("coding"))]


def _name_parts(resource: Resource, which: str) -> list[str]:
    parts: list[str] = []
    for name in _list(resource.get("name")):
        said = name.get(which, [])
        parts += [said] if isinstance(said, str) else said
    return parts


def _begins(parts: Sequence[str], value: str) -> bool:
    return any(part.casefold().startswith(value.casefold()) for part in parts)


def _family(resource: Resource, value: str) -> bool:
    return _begins(_name_parts(resource, "family"), value)


def _given(resource: Resource, value: str) -> bool:
    return _begins(_name_parts(resource, "given"), value)


def _name(resource: Resource, value: str) -> bool:
    said = resource.get("name")
    if isinstance(said, str):
        return _begins([said], value)
    return _family(resource, value) or _given(resource, value)


def _telecom(resource: Resource, value: str) -> bool:
    return token(resource.get("telecom"), value)


def _references(resource: Resource) -> Iterator[str]:
    for part in _list(resource.get("participant")) + _list(resource.get("member")):
        yield str(part.get("actor", part.get("individual", {})).get("reference", ""))
    for field in ("subject", "patient", "beneficiary", "practitioner", "schedule", "location"):
        for entry in _list(resource.get(field)):
            yield str(entry.get("reference", ""))
    for field in ("actor", "author", "performer"):
        for entry in _list(resource.get(field)):
            yield str(entry.get("reference", ""))


def _points(kind: str) -> Matcher:
    def matcher(resource: Resource, value: str) -> bool:
        wanted = value if "/" in value or not kind else f"{kind}/{value}"
        return any(one == wanted or one.endswith(f"/{wanted}") for one in _references(resource))

    return matcher


def _at(*fields: str) -> Matcher:
    def matcher(resource: Resource, value: str) -> bool:
        said = next((str(resource[one]) for one in fields if resource.get(one)), "")
        if fields == ("lastUpdated",):
            said = str(resource.get("meta", {}).get("lastUpdated", ""))
        return bool(said) and _in_range(said, value)

    return matcher


def _in_range(said: str, value: str) -> bool:
    """Compare as R4 does: a value without a time is a whole day."""
    prefix = value[:2] if value[:2] in _PREFIXES else "eq"
    low, high = _span(value[2:] if value[:2] in _PREFIXES else value)
    at, until = _span(said)
    return {
        "ge": until > low,
        "gt": at >= high,
        "le": at < high,
        "lt": at < low,
        "eq": low <= at and until <= high,
    }[prefix]


def _span(text: str) -> tuple[datetime, datetime]:
    if "T" not in text:
        day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        return day, day + timedelta(days=1)
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant needs a zone")
    exactness = timedelta(milliseconds=1) if "." in text else timedelta(seconds=1)
    return at, at + exactness


def _one_of(field: str) -> Matcher:
    return lambda resource, value: str(resource.get(field, "")).lower() == value.lower()


MATCHERS: dict[str, Matcher] = {
    "_id": _one_of("id"),
    "_lastUpdated": _at("lastUpdated"),
    "identifier": lambda resource, value: token(resource.get("identifier"), value),
    "name": _name,
    "family": _family,
    "given": _given,
    "birthdate": lambda resource, value: (
        _in_range(resource["birthDate"], value) if resource.get("birthDate") else False
    ),
    "gender": _one_of("gender"),
    "active": _one_of("active"),
    "phone": _telecom,
    "email": _telecom,
    "telecom": _telecom,
    "status": _one_of("status"),
    "actor": _points(""),
    "patient": _points("Patient"),
    "subject": _points(""),
    "beneficiary": _points("Patient"),
    "practitioner": _points("Practitioner"),
    "location": _points("Location"),
    "schedule": _points("Schedule"),
    "author": _points(""),
    "date": _at("start", "date"),
    "start": _at("start"),
    "type": lambda resource, value: token(_codings(resource.get("type")), value),
    "service-type": lambda resource, value: token(_codings(resource.get("serviceType")), value),
    "specialty": lambda resource, value: token(_codings(resource.get("specialty")), value),
    "url": lambda resource, value: resource.get("channel", {}).get("endpoint", "") == value,
    "criteria": _one_of("criteria"),
}
_PEOPLE = frozenset(
    {"identifier", "name", "family", "given", "telecom", "phone", "email", "active"}
)
_CLINICAL = frozenset({"patient", "subject", "identifier", "status", "date"})
PARAMETERS: dict[str, frozenset[str]] = {
    "Patient": _PEOPLE | {"birthdate", "gender"},
    "Practitioner": _PEOPLE,
    "PractitionerRole": frozenset(
        {"practitioner", "location", "specialty", "identifier", "active"}
    ),
    "Location": frozenset({"identifier", "name", "status"}),
    "Schedule": frozenset({"actor", "identifier", "specialty", "active"}),
    "Slot": frozenset({"schedule", "start", "status", "service-type", "identifier"}),
    "Appointment": _CLINICAL | {"actor", "practitioner", "location", "service-type", "specialty"},
    "Coverage": frozenset({"beneficiary", "patient", "identifier", "status"}),
    "DocumentReference": _CLINICAL | {"type", "author"},
    "ServiceRequest": _CLINICAL,
    "DiagnosticReport": _CLINICAL,
    "Observation": _CLINICAL,
    "Task": _CLINICAL,
    "Subscription": frozenset({"status", "url", "criteria"}),
}
