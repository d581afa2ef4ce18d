"""What one server offers and how it says no, as data; and the shapes that every server insists on.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from emr.demo_server.searching import PARAMETERS

ALL = frozenset({"read", "search-type", "create", "update", "patch", "delete"})
READ = frozenset({"read", "search-type"})
Interactions = Mapping[str, frozenset[str]]
_STATUSES = {
    "Appointment": frozenset(
        [
            "proposed",
            "pending",
            "booked",
            "arrived",
            "fulfilled",
            "cancelled",
            "noshow",
            "entered-in-error",
            "checked-in",
            "waitlist",
        ]
    ),
    "Slot": frozenset(["busy", "free", "busy-unavailable", "busy-tentative", "entered-in-error"]),
    "Subscription": frozenset(["requested", "active", "error", "off"]),
    "DocumentReference": frozenset(["current", "superseded", "entered-in-error"]),
}
_REQUIRED = {
    "Appointment": ("status", "participant"),
    "Slot": ("schedule", "status", "start", "end"),
    "Schedule": ("actor",),
    "DocumentReference": ("status", "content"),
    "Coverage": ("status", "beneficiary", "payor"),
    "Subscription": ("status", "reason", "criteria", "channel"),
    "ServiceRequest": ("status", "intent", "subject"),
    "Task": ("status", "intent"),
}
_TIMELESS = {"proposed", "cancelled", "waitlist"}


class Refusal(Exception):
    """No, with an HTTP status, an issue type of FHIR and perhaps a code of the server's own."""

    def __init__(self, status: int, code: str, details: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.details = status, code, details


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A generic server of R4 unless told otherwise. `offers` names what each type can be asked;
    `searchable` narrows its search parameters."""

    software: str = "Generic R4"
    fhir_version: str = "4.0.1"
    offers: Interactions = field(default_factory=lambda: dict.fromkeys(PARAMETERS, ALL))
    searchable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    conditional_create: bool = True
    patient_match: bool = True
    stale_status: int = 412
    needs_if_match: bool = False
    patch_heeds_if_match: bool = True
    page_size: int = 50
    operations: tuple[str, ...] = ()
    takes_times_from_slot: bool = False

    @property
    def types(self) -> frozenset[str]:
        return frozenset(self.offers)

    def interactions(self, kind: str) -> frozenset[str]:
        return self.offers.get(kind, frozenset())

    def search_parameters(self, kind: str) -> frozenset[str]:
        return self.searchable.get(kind, PARAMETERS[kind] | {"_id", "_lastUpdated"})


class Known(Protocol):
    def version_of(self, resource_type: str, resource_id: str) -> str: ...


def check_shape(resource: Mapping[str, Any], *, known: Known, rules: Rules) -> None:
    """Raise Refusal for what no server takes: missing elements, unknown words, app-1 to app-4,
    empty values, times without a zone, and references to what is not there."""
    kind = resource["resourceType"]
    if any(not resource.get(name) for name in _REQUIRED.get(kind, ())):
        raise Refusal(422, "required")
    if kind in _STATUSES and resource["status"] not in _STATUSES[kind]:
        raise Refusal(422, "code-invalid")
    if kind == "Appointment":
        _check_appointment(resource, rules)
    for value in _leaves(resource):
        if value in ("", None, [], {}):
            raise Refusal(422, "value")
    for kind, resource_id in _references(resource):
        if kind in PARAMETERS and not known.version_of(kind, resource_id):
            raise Refusal(422, "not-found")


def _check_appointment(resource: Mapping[str, Any], rules: Rules) -> None:
    parts, status = resource["participant"], resource["status"]
    if any(not (part.get("type") or part.get("actor")) or not part.get("status") for part in parts):
        raise Refusal(422, "invariant", "app-1")
    start, end = resource.get("start"), resource.get("end")
    if (start is None) != (end is None):
        raise Refusal(422, "invariant", "app-2")
    is_told_by_slot = rules.takes_times_from_slot and resource.get("slot")
    if start is None and status not in _TIMELESS and not is_told_by_slot:
        raise Refusal(422, "invariant", "app-3")
    if resource.get("cancelationReason") and status not in {"cancelled", "noshow"}:
        raise Refusal(422, "invariant", "app-4")
    if start is not None and instant(start) >= instant(str(end)):
        raise Refusal(422, "invariant", "end-before-start")


def instant(text: str) -> datetime:
    """Read an instant. Raises Refusal for one without a zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refusal(422, "value") from error
    if at.tzinfo is None:
        raise Refusal(422, "value")
    return at


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping) and value:
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (type, id) of the references to this server's own resources."""
    if isinstance(value, Mapping):
        said = value.get("reference")
        if isinstance(said, str) and said.count("/") == 1 and ":" not in said:
            kind, _slash, resource_id = said.partition("/")
            yield kind, resource_id
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
