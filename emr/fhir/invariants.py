"""R4's rules about whole elements, which no table of codes can hold.

The names are the standard's own: app-1 to app-4 of Appointment, per-1 of Period, cpt-2 of
ContactPoint, ele-1 of all. Besides them: an end lies after its start, moments are in UTC with
seconds, and numbers and booleans are no text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from emr.fhir.bindings import BOOLEANS, INTEGERS, MOMENTS, PERIODS
from emr.fhir.instants import read
from emr.fhir.walking import Found

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MAY_LACK_TIMES = {"proposed", "cancelled", "waitlist"}
_MAY_HAVE_REASON = {"cancelled", "no-show"}


def broken(resource: Mapping[str, Any], found: Found) -> Iterator[str]:
    """Yield the rule that is broken, once for each time it is. `found` is the resource's `by_name`.

    The order of moments is looked at where all are moments.
    """
    kind = resource.get("resourceType")
    yield from _shapes(found)
    if kind == "Appointment":
        yield from _appointment(resource)
    if kind in {"Appointment", "Slot"} and not _is_in_order(resource, strictly=True):
        yield f"order:{kind}"
    for path, held in _named(found, PERIODS):
        if isinstance(held, Mapping) and not _is_in_order(held, strictly=False):
            yield f"per-1:{path}"
    for path, held in found.get("telecom", []):
        if isinstance(held, Mapping) and "value" in held and "system" not in held:
            yield f"cpt-2:{path}"


def _shapes(found: Found) -> Iterator[str]:
    for held in found.values():
        yield from (f"ele-1:{path}" for path, value in held if value in ("", [], {}, None))
    for path, value in _named(found, INTEGERS):
        if type(value) is not int:
            yield f"integer:{path}"
    for path, value in _named(found, BOOLEANS):
        if type(value) is not bool:
            yield f"boolean:{path}"
    for path, value in _named(found, MOMENTS):
        if not isinstance(value, Mapping) and not _is_moment(path, value):
            yield f"moment:{path}"


def _appointment(resource: Mapping[str, Any]) -> Iterator[str]:
    if any("type" not in who and "actor" not in who for who in resource.get("participant", [])):
        yield "app-1"
    has_start, has_end = "start" in resource, "end" in resource
    if has_start != has_end:
        yield "app-2"
    if not (has_start and has_end) and resource.get("status") not in _MAY_LACK_TIMES:
        yield "app-3"
    if "cancelationReason" in resource and resource.get("status") not in _MAY_HAVE_REASON:
        yield "app-4"


def _named(found: Found, names: frozenset[str]) -> Iterator[tuple[str, Any]]:
    for name in names & found.keys():
        yield from found[name]


def _is_in_order(held: Mapping[str, Any], *, strictly: bool) -> bool:
    start, end = _when(held.get("start")), _when(held.get("end"))
    if start is None or end is None:
        return True
    return start < end or (start == end and not strictly)


def _when(value: object) -> datetime | None:
    """Return a moment; a day alone counts from its midnight in UTC."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        return read(f"{value}T00:00:00Z")
    return read(value)


def _is_moment(path: str, value: object) -> bool:
    """A Period may have days alone; everything else has its time."""
    if not isinstance(value, str):
        return False
    is_period = not PERIODS.isdisjoint(path.split(".")[:-1])
    return bool(_MOMENT.fullmatch(value) or (is_period and _DAY.fullmatch(value)))
