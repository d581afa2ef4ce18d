"""Reads one resource of what is on offer, by its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from emr.fhir.face.offers import (
    location_of,
    practitioner_of,
    read_slot_id,
    role_of,
    schedule_of,
    slots_of,
)
from emr.offering.rows import DAY, on_offer, times

Json = dict[str, Any]


def read(resource_type: str, resource_id: str, *, now: datetime) -> Json | None:
    """Return a resource, None where there is none, or none any more."""
    reader = _READERS.get(resource_type)
    try:
        return reader(resource_id, now) if reader else None
    except ValueError:
        return None


def _schedule(resource_id: str, now: datetime) -> Json | None:
    pk = UUID(resource_id)
    return next((schedule_of(one.offer) for one in on_offer(now=now) if one.offer.id == pk), None)


def _slot(resource_id: str, now: datetime) -> Json | None:
    """Return what begins just then: a free time, or the rest of a busy one."""
    pk, start = read_slot_id(resource_id)
    one = next((some for some in on_offer(now=now) if some.offer.id == pk), None)
    if one is None or start < now:
        return None
    found = times(one, start=start, end=start + DAY, statuses=(), now=now)
    return next(slots_of(one.offer, [time for time in found if time.start == start]), None)


def _location(resource_id: str, now: datetime) -> Json | None:
    pk = UUID(resource_id)
    places = (one.offer.place for one in on_offer(now=now))
    return next((location_of(place) for place in places if place.id == pk), None)


def _practitioner(resource_id: str, now: datetime) -> Json | None:
    pk = UUID(resource_id)
    people = (one.offer.who for one in on_offer(now=now))
    return next((practitioner_of(who) for who in people if who.id == pk), None)


def _role(resource_id: str, now: datetime) -> Json | None:
    pk = UUID(resource_id)
    offers = [one.offer for one in on_offer(now=now) if one.offer.role_id == pk]
    return role_of(offers) if offers else None


_READERS: Mapping[str, Callable[[str, datetime], Json | None]] = MappingProxyType(
    {
        "Location": _location,
        "Practitioner": _practitioner,
        "PractitionerRole": _role,
        "Schedule": _schedule,
        "Slot": _slot,
    }
)
