"""The endpoint for notifications: who is believed, what is kept, and that it is kept once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from emr.inbox import taking
from emr.kinds import Arrival
from emr.models import InboundMessage
from scheduling.models import Appointment
from tests.emr.inbox.conftest import Joined

SECRET = "a secret of the clinic's own"
JSON = "application/fhir+json"


def post(
    client: Client, joined: Joined, body: Any = None, *, secret: str = SECRET, **headers: str
) -> int:
    text = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
    shown = headers or ({"Authorization": f"Bearer {secret}"} if secret else {})
    url = reverse("emr_hooks:notified", args=[joined.connection.pk])
    return client.post(url, text, content_type=JSON, headers=shown).status_code


def resource(remote_id: str = "a1", version: str = "1") -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": remote_id, "meta": {"versionId": version}}


def kept() -> list[tuple[str, str]]:
    return list(InboundMessage.objects.values_list("resource_type", "resource_id"))


def signature(body: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()


def test_a_resource_is_kept_and_nothing_of_what_it_says(client: Client, joined: Joined) -> None:
    assert post(client, joined, resource() | {"description": "secret"}) == 200
    message = InboundMessage.objects.get()
    assert (message.resource_type, message.resource_id, message.body) == ("Appointment", "a1", "")
    assert message.state == Arrival.RECEIVED


@pytest.mark.parametrize("secret", ["", "wrong", SECRET[:-1], SECRET + "x"])
def test_without_the_secret_nothing_is_kept(client: Client, joined: Joined, secret: str) -> None:
    assert post(client, joined, resource(), secret=secret) == 401
    assert post(client, joined, "no json", secret=secret) == 401
    assert kept() == []


def test_a_connection_without_a_secret_believes_nobody(client: Client, joined: Joined) -> None:
    joined.connection.hook_secret = ""
    joined.connection.save()
    assert post(client, joined, resource(), secret="") == 401
    assert post(client, joined, resource(), **{"X-Hook-Secret": ""}) == 401
    assert post(client, joined, resource(), Authorization="Bearer ") == 401
    assert post(client, joined, resource(), **{"X-Signature": signature(b"", "").hex()}) == 401


def test_neither_an_unknown_nor_a_closed_connection_says_more(
    client: Client, joined: Joined
) -> None:
    url = reverse("emr_hooks:notified", args=[uuid4()])
    shown = {"Authorization": f"Bearer {SECRET}"}
    assert client.post(url, "{}", content_type=JSON, headers=shown).status_code == 401
    joined.connection.is_active = False
    joined.connection.save()
    assert post(client, joined, resource()) == 401


@pytest.mark.parametrize("header", ["X-Signature", "X-Hub-Signature-256"])
@pytest.mark.parametrize("form", ["hex", "base64", "prefixed"])
def test_a_signature_over_the_body_is_believed(
    client: Client, joined: Joined, header: str, form: str
) -> None:
    body = json.dumps(resource()).encode()
    digest = signature(body)
    signs = {
        "hex": digest.hex(),
        "base64": base64.b64encode(digest).decode(),
        "prefixed": f"sha256={digest.hex()}",
    }
    assert post(client, joined, body, **{header: signs[form]}) == 200
    assert post(client, joined, body + b" ", **{header: signs[form]}) == 401
    assert kept() == [("Appointment", "a1")]


def test_the_same_notification_again_is_kept_once(client: Client, joined: Joined) -> None:
    for _time in range(3):
        assert post(client, joined, resource()) == 200
    assert post(client, joined, resource(version="2")) == 200
    assert InboundMessage.objects.count() == 2


def test_one_without_a_version_is_kept_again_once_the_first_is_taken(
    client: Client, joined: Joined
) -> None:
    """An id alone looks the same for every change: a later one must not be taken for a replay."""
    remote = joined.add(joined.clock())
    bare = {"resourceType": "Appointment", "id": remote}
    for _time in range(2):
        assert post(client, joined, bare) == 200
    assert InboundMessage.objects.count() == 1
    taking.take_in()
    joined.move(remote, joined.clock("11:00"))
    assert post(client, joined, bare) == 200
    taking.take_in()
    assert Appointment.objects.get().scheduled_start == joined.clock("11:00")


def test_a_bundle_tells_of_each_of_its_resources(client: Client, joined: Joined) -> None:
    entries = [{"resource": resource(one)} for one in ("a1", "a2")]
    assert post(client, joined, {"resourceType": "Bundle", "entry": entries}) == 200
    assert kept() == [("Appointment", "a1"), ("Appointment", "a2")]


def backport(kind: str, number: int, *ids: str) -> dict[str, Any]:
    status: dict[str, Any] = {
        "resourceType": "SubscriptionStatus",
        "type": kind,
        "eventsSinceSubscriptionStart": str(number),
        "subscription": {"reference": "Subscription/s1"},
        "notificationEvent": [
            {"eventNumber": str(number), "focus": {"reference": f"Appointment/{one}"}}
            for one in ids
        ],
    }
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": status}]}


@pytest.mark.parametrize("kind", ["handshake", "heartbeat"])
def test_signs_of_life_are_answered_and_tell_nothing(
    client: Client, joined: Joined, kind: str
) -> None:
    assert post(client, joined, backport(kind, 0)) == 200
    assert kept() == []


def test_a_backport_event_is_kept_once_by_its_number(client: Client, joined: Joined) -> None:
    for number in (1, 1, 2):
        assert post(client, joined, backport("event-notification", number, "a1")) == 200
    assert kept() == [("Appointment", "a1")] * 2


@pytest.mark.parametrize("body", ["no json", "[1]", '"text"', '{"a":', "{}x", '{"id": "1"}'])
def test_what_is_no_resource_is_refused(client: Client, joined: Joined, body: str) -> None:
    assert post(client, joined, body) == 400
    assert kept() == []


def test_more_than_a_megabyte_is_not_read(client: Client, joined: Joined) -> None:
    assert post(client, joined, b" " * (1024 * 1024 + 1)) == 413


@pytest.mark.parametrize("method", ["put", "post", "delete"])
def test_the_address_itself_may_name_the_resource(
    client: Client, joined: Joined, method: str
) -> None:
    url = reverse("emr_hooks:notified_of", args=[joined.connection.pk, "Appointment", "a.1-B"])
    shown = {"Authorization": f"Bearer {SECRET}"}
    ask = getattr(client, method)
    assert ask(url, "", content_type=JSON, headers=shown).status_code == 200
    assert ask(url, "", content_type=JSON).status_code == 401
    assert kept() == [("Appointment", "a.1-B")]


def test_a_deletion_is_told_by_a_header(client: Client, joined: Joined) -> None:
    shown = {
        "Authorization": f"Bearer {SECRET}",
        "X-Medplum-Deleted-Resource": "Appointment/a1",
    }
    assert post(client, joined, {}, **shown) == 200
    assert InboundMessage.objects.get().event == "DELETE"


def test_nothing_but_posts_is_answered(client: Client, joined: Joined) -> None:
    url = reverse("emr_hooks:notified", args=[joined.connection.pk])
    assert client.get(url).status_code == 405
