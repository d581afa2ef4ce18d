"""What a subscription tells is read in every shape in which it is told."""

from __future__ import annotations

from typing import Any

import pytest

from emr.fhir.errors import Refused
from emr.fhir.notifications import Kind, read_notification
from emr.visits import Told

VISIT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a-1",
    "meta": {"versionId": "4"},
    "status": "booked",
}


def _parameters(kind: str, *events: dict[str, Any]) -> dict[str, Any]:
    said = [
        {
            "name": "subscription",
            "valueReference": {"reference": "https://ehr.example/Subscription/s-1"},
        },
        {"name": "status", "valueCode": "active"},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": "12"},
    ]
    told = [
        {
            "name": "notification-event",
            "part": [
                {"name": "event-number", "valueString": "12"},
                {"name": "timestamp", "valueInstant": "2026-05-04T13:20:00Z"},
                {"name": "focus", "valueReference": event},
            ],
        }
        for event in events
    ]
    return {"resourceType": "Parameters", "parameter": said + told}


def _status(kind: str, *events: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "SubscriptionStatus",
        "type": kind,
        "subscription": {"reference": "Subscription/s-1"},
        "eventsSinceSubscriptionStart": "12",
        "notificationEvent": [{"eventNumber": "12", "focus": event} for event in events],
    }


def _bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "history", "entry": entries}


def test_a_bare_resource_tells_of_itself() -> None:
    read = read_notification(VISIT)
    assert read.kind is Kind.EVENT
    assert read.told == (Told("Appointment", "a-1", version_id="4", resource=VISIT),)
    assert read.event_number is None


def test_a_bundle_tells_of_each_of_its_resources() -> None:
    order = {"resourceType": "ServiceRequest", "id": "o-1"}
    told = read_notification(_bundle(VISIT, order)).told
    assert [(one.resource_type, one.resource_id) for one in told] == [
        ("Appointment", "a-1"),
        ("ServiceRequest", "o-1"),
    ]


def test_an_empty_body_tells_that_something_changed() -> None:
    read = read_notification({})
    assert (read.kind, read.told) == (Kind.EVENT, ())


@pytest.mark.parametrize("status", [_parameters, _status])
@pytest.mark.parametrize("kind", ["handshake", "heartbeat"])
def test_a_sign_of_life_tells_of_nothing(status: Any, kind: str) -> None:
    read = read_notification(_bundle(status(kind)))
    assert (read.kind, read.told) == (Kind(kind), ())
    assert (read.event_number, read.subscription) == (12, "s-1")


@pytest.mark.parametrize("status", [_parameters, _status])
def test_an_event_with_ids_only_tells_what_to_read(status: Any) -> None:
    event = status("event-notification", {"reference": "https://ehr.example/r4/Appointment/a-1"})
    read = read_notification(_bundle(event))
    assert read.told == (Told("Appointment", "a-1", event="12"),)
    assert (read.event_number, read.subscription) == (12, "s-1")


@pytest.mark.parametrize("status", [_parameters, _status])
def test_an_event_with_its_resource_tells_of_it_once(status: Any) -> None:
    event = status("event-notification", {"reference": "Appointment/a-1"})
    (told,) = read_notification(_bundle(event, VISIT)).told
    assert (told.version_id, told.resource) == ("4", VISIT)


def test_what_was_deleted_is_told_by_its_request() -> None:
    deleted = {"request": {"method": "DELETE", "url": "Appointment/a-1"}}
    body = {"resourceType": "Bundle", "type": "history", "entry": [deleted]}
    assert read_notification(body).told == (Told("Appointment", "a-1", event="DELETE"),)


@pytest.mark.parametrize(
    "body",
    [
        {"hello": 1},
        {"resourceType": "Appointment"},
        {"resourceType": "Appointment", "id": "../etc"},
        _bundle(_status("party")),
    ],
)
def test_what_is_no_notification_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read_notification(body)


def test_a_count_that_is_none_is_no_number() -> None:
    status = _status("heartbeat") | {"eventsSinceSubscriptionStart": "²"}
    assert read_notification(_bundle(status)).event_number is None
