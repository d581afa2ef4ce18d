"""What a subscription's notification tells: bare R4 resources, bundles, and R5-backport bundles.

Only says what is to be read again. Whether it is to be believed is decided before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from emr.fhir.errors import Refused
from emr.fhir.identity import identity, referenced_id
from emr.fhir.references import target, type_of
from emr.fhir.tolerant import items, part, text
from emr.visits import Told

MOST = 500


class Kind(StrEnum):
    """EVENT tells of resources; the others only that the subscription lives, or how it fares."""

    EVENT = "event-notification"
    HANDSHAKE = "handshake"
    HEARTBEAT = "heartbeat"
    QUERY_STATUS = "query-status"
    QUERY_EVENT = "query-event"


@dataclass(frozen=True, slots=True)
class Notification:
    """`event_number` is the last that the subscription counts, None where it counts none.

    `subscription` is the id of the Subscription that speaks, empty where it is not said.
    """

    kind: Kind
    event_number: int | None = None
    told: tuple[Told, ...] = ()
    subscription: str = ""


def read_notification(body: Mapping[str, Any]) -> Notification:
    """Read a notification; an empty body tells that something changed, and not what.

    Raises Refused for what is no resource, and for an unknown kind of notification.
    """
    if not body:
        return Notification(Kind.EVENT)
    kind = text(body.get("resourceType"))
    if not kind:
        raise Refused("no-type", "it does not say what resource it is")
    if kind != "Bundle":
        return Notification(Kind.EVENT, told=_told(body))
    entries = [part(entry.get("resource")) for entry in items(body.get("entry"))]
    status = next((_status(resource) for resource in entries if _is_status(resource)), None)
    if status is None:
        return Notification(Kind.EVENT, told=_each(body))
    return _backport(body, status)


@dataclass(frozen=True, slots=True)
class _Status:
    kind: str
    number: str
    subscription: str
    events: tuple[tuple[str, object], ...]


def _backport(body: Mapping[str, Any], status: _Status) -> Notification:
    try:
        kind = Kind(status.kind)
    except ValueError:
        raise Refused("unknown-notification", "it is no kind of notification") from None
    number = int(status.number) if status.number.isascii() and status.number.isdigit() else None
    told = {(one.resource_type, one.resource_id): one for one in _focused(status)}
    told |= {(one.resource_type, one.resource_id): one for one in _each(body)}
    return Notification(
        kind,
        event_number=number,
        told=tuple(told.values())[:MOST] if kind in {Kind.EVENT, Kind.QUERY_EVENT} else (),
        subscription=status.subscription,
    )


def _focused(status: _Status) -> Iterator[Told]:
    for number, focus in status.events:
        kind, known = type_of(focus), referenced_id(focus)
        if kind and known:
            yield Told(kind, known, event=number)


def _is_status(resource: Mapping[str, Any]) -> bool:
    """Backport bundles say it as Parameters in R4 and as SubscriptionStatus in R4B."""
    if resource.get("resourceType") == "SubscriptionStatus":
        return True
    names = {text(one.get("name")) for one in items(resource.get("parameter"))}
    return resource.get("resourceType") == "Parameters" and {"subscription", "type"} <= names


def _status(resource: Mapping[str, Any]) -> _Status:
    if resource.get("resourceType") == "SubscriptionStatus":
        number = resource.get("eventsSinceSubscriptionStart")
        events = tuple(
            (text(one.get("eventNumber")), one.get("focus"))
            for one in items(resource.get("notificationEvent"))
        )
        spoken = referenced_id(resource.get("subscription"))
        return _Status(text(resource.get("type")), text(number), spoken, events)
    said = {text(one.get("name")): _value(one) for one in items(resource.get("parameter"))}
    events = tuple(
        _event(one)
        for one in items(resource.get("parameter"))
        if text(one.get("name")) == "notification-event"
    )
    number = said.get("events-since-subscription-start", said.get("event-count"))
    spoken = referenced_id(said.get("subscription"))
    return _Status(text(said.get("type")), text(number), spoken, events)


def _event(parameter: Mapping[str, Any]) -> tuple[str, object]:
    said = {text(one.get("name")): _value(one) for one in items(parameter.get("part"))}
    return text(said.get("event-number")), said.get("focus")


def _value(parameter: Mapping[str, Any]) -> object:
    return next((held for name, held in parameter.items() if name.startswith("value")), None)


def _each(bundle: Mapping[str, Any]) -> tuple[Told, ...]:
    """Return what a bundle's entries tell: resources, and deletions by their request alone."""
    found: list[Told] = []
    for entry in items(bundle.get("entry")):
        resource, request = part(entry.get("resource")), part(entry.get("request"))
        if resource and not _is_status(resource):
            found += _told(resource)
        elif text(request.get("method")) == "DELETE":
            found += _deleted(text(request.get("url")))
    return tuple(found[:MOST])


def _told(resource: Mapping[str, Any]) -> tuple[Told, ...]:
    kind = text(resource.get("resourceType"))
    known = identity(kind, resource)
    version = text(part(resource.get("meta")).get("versionId"))
    return (Told(kind, known.resource_id, version_id=version, resource=resource),)


def _deleted(url: str) -> tuple[Told, ...]:
    kind = target(url)
    return (Told(kind, referenced_id({"reference": url}), event="DELETE"),) if kind else ()
