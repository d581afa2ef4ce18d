"""Believes a notification that shows the connection's secret, and keeps what it tells.

What it says of a resource is not relied on: that is read anew. The heavy work comes after.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django_q.tasks import async_task

from emr import arrivals
from emr.fhir.notifications import Kind, Notification
from emr.inbox.keys import key_of, new_key
from emr.kinds import Arrival, Source
from emr.models import EMRConnection, InboundMessage
from emr.visits import Told

POLL = "emr.tasks.poll"
SIGNATURES = ("X-Signature", "X-Hub-Signature-256", "X-Hook-Signature")
SECRETS = ("X-Hook-Secret",)
SHORTEST_SECRET = 16
NOBODY = "no connection has this secret, but the comparison takes as long"


def is_believed(connection: EMRConnection | None, body: bytes, headers: Mapping[str, str]) -> bool:
    """Say whether whoever sends this knows the connection's secret: it is shown in a header, or
    signs the body (HMAC-SHA256, in hex or base64). A connection without one believes nobody."""
    known = connection.hook_secret if connection is not None else ""
    secret = known if len(known) >= SHORTEST_SECRET else NOBODY
    shown = _is_shown(secret, headers)
    signed = _is_signed(secret, body, headers)
    return secret is not NOBODY and (shown or signed)


def keep(connection: EMRConnection, notification: Notification, *, now: datetime) -> int:
    """Keep what a notification tells, once; return how much of it is new.

    One that tells of a change and not of which has the connection polled.
    """
    if notification.kind not in {Kind.EVENT, Kind.QUERY_EVENT}:
        return 0
    if not notification.told:
        transaction.on_commit(lambda: async_task(POLL, str(connection.pk)))
        return 0
    with transaction.atomic():
        return sum(_keep(connection, told, notification) for told in notification.told)


def _keep(connection: EMRConnection, told: Told, notification: Notification) -> bool:
    key = key_of(told, subscription=notification.subscription, number=notification.event_number)
    if not key and _is_waiting(connection, told):
        return False
    bare = Told(told.resource_type, told.resource_id, told.version_id, told.event[:12])
    return arrivals.receive(connection, bare, source=Source.HOOK, key=key or new_key(told))


def _is_waiting(connection: EMRConnection, told: Told) -> bool:
    """Whether the resource is going to be read anyway, after this."""
    rows = InboundMessage.objects.filter(
        connection=connection,
        resource_type=told.resource_type,
        resource_id=told.resource_id,
        state=Arrival.RECEIVED.value,
    )
    return rows.exclude(source=Source.HL7.value).exists()


def _is_shown(secret: str, headers: Mapping[str, str]) -> bool:
    scheme, _space, token = headers.get("Authorization", "").partition(" ")
    shown = [token.strip() if scheme.lower() == "bearer" else ""]
    shown += [headers.get(name, "") for name in SECRETS]
    return any([_same(secret, one) for one in shown])  # noqa: C419 - compares all of them


def _is_signed(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    ways = (digest.hex(), base64.b64encode(digest).decode())
    signs = [headers.get(name, "").removeprefix("sha256=") for name in SIGNATURES]
    return any([_same(way, sign) for way in ways for sign in signs])  # noqa: C419 - as above


def _same(known: str, shown: str) -> bool:
    return hmac.compare_digest(known.encode(), shown.encode())
