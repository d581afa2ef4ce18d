"""Tells subscribers of changes by R4's rest-hook, with the resource, and on this machine only."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from emr.demo_server.messages import FHIR_JSON
from emr.demo_server.store import Resource, Store

logger = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = (0.5, 1, 2, 4, 8, 16)
_SECONDS = 5.0


class Teller:
    """Tells one change after the other, in order; who does not answer is asked a few times more."""

    def __init__(self, store: Store, *, patience: Iterable[float] = PATIENCE) -> None:
        self._store, self._patience = store, tuple(patience)
        self._changes: queue.SimpleQueue[Resource | None] = queue.SimpleQueue()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="teller", daemon=True)
        self._thread.start()

    def heard(self, resource: Resource | None) -> None:
        """Take note of a new version; does not wait. Deletions are not told."""
        if resource is not None and resource["resourceType"] != "Subscription":
            self._changes.put(resource)

    def close(self) -> None:
        self._ended.set()
        self._changes.put(None)
        self._thread.join(_SECONDS)

    def _work(self) -> None:
        while (change := self._changes.get()) is not None:
            for subscription in self._store.all("Subscription"):
                if is_about(subscription, change["resourceType"]) and not self._ended.is_set():
                    self._tell(subscription["channel"], change)

    def _tell(self, channel: Mapping[str, Any], resource: Resource) -> None:
        for pause in (*self._patience, None):
            if _told(channel, resource):
                return
            if pause is None or self._ended.wait(pause):
                break
        logger.warning(
            "A subscriber was not reached", extra={"resource_type": resource["resourceType"]}
        )


def is_about(subscription: Mapping[str, Any], kind: str) -> bool:
    """Say whether an active subscription wants to hear of a type of resource."""
    wanted = str(subscription.get("criteria", "")).partition("?")[0]
    channel = subscription.get("channel", {})
    is_hook = channel.get("type") == "rest-hook" and subscription.get("status") == "active"
    return is_hook and wanted == kind


def check_subscription(resource: Resource) -> Resource:
    """Return a subscription as it is kept: active at once, if its address is on this machine.

    Raises ValueError for one that is elsewhere.
    """
    address = urlsplit(str(resource["channel"].get("endpoint", "")))
    if address.scheme != "http" or address.hostname not in LOOPBACK:
        raise ValueError("subscribers are on this machine")
    return resource | {"status": "active"}


def _told(channel: Mapping[str, Any], resource: Resource) -> bool:
    """Send the resource as an update of [endpoint]/[type]/[id], as R4 says of rest-hooks."""
    address = urlsplit(channel["endpoint"])
    connection = HTTPConnection(address.hostname or "", address.port or 80, timeout=_SECONDS)
    headers = dict(_header(line) for line in channel.get("header", []))
    try:
        path = f"{address.path.rstrip('/')}/{resource['resourceType']}/{resource['id']}"
        headers |= {"Content-Type": FHIR_JSON}
        connection.request("PUT", path, json.dumps(resource), headers)
        return connection.getresponse().status < HTTPStatus.MULTIPLE_CHOICES
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _header(line: str) -> tuple[str, str]:
    name, _colon, value = line.partition(":")
    return name.strip(), value.strip()
