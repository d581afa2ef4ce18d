"""What a server says it can do and where its tokens are to be had: asked once a day.

A change is noted with its time. Where the server is silent, what it said last goes on counting.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from emr.failures import EMRError, NotFound, Refused, Unauthorized
from emr.fhir.errors import Refused as Unreadable
from emr.models import ConnectionState, EMRConnection
from emr.smart.statements import OTHER_RELEASE, digest, kept_capability, kept_configuration
from emr.transport import Transport

logger = logging.getLogger(__name__)

FRESH_FOR = timedelta(hours=24)
CONFIGURATION = ".well-known/smart-configuration"


def discover(
    connection: EMRConnection, *, now: datetime, fresh_for: timedelta = FRESH_FOR
) -> ConnectionState:
    """Return a connection's state with what its server says, asked anew where that is too old.

    Raises Refused for a server of another FHIR release (its last word is kept), and the other
    kinds of EMRError where it was never heard.
    """
    state = ConnectionState.objects.filter(connection=connection).first()
    heard = state.discovered_at if state else None
    if state is None or heard is None:
        return refresh(connection, now=now)
    if now - heard < fresh_for:
        return state
    try:
        return refresh(connection, now=now)
    except EMRError as error:
        if OTHER_RELEASE in error.codes:
            raise
        logger.warning("discovery failed, the last one counts", extra={"row": connection.pk})
        return state


def refresh(connection: EMRConnection, *, now: datetime) -> ConnectionState:
    """Ask the server now, and return the state with what it says. Raises EMRError."""
    capability, configuration = asked(connection)
    ConnectionState.objects.get_or_create(
        connection=connection, defaults={"tokens": connection.burst, "tokens_at": now}
    )
    return _kept(connection, capability, configuration, now)


def capability(connection: EMRConnection) -> Mapping[str, Any]:
    """Return what is kept of the server's CapabilityStatement. Raises as `discover` does."""
    found: Mapping[str, Any] = discover(connection, now=timezone.now()).capability
    return found


def asked(connection: EMRConnection) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask the server, without a token, and return what is kept of both statements."""
    transport = Transport(connection.base_url, timeout=connection.timeout_seconds)
    try:
        said = transport.request("GET", "metadata").body
        return kept_capability(said), kept_configuration(_configuration(transport), said)
    except Unreadable as error:
        raise Refused("capability", error.code) from None
    finally:
        transport.close()


def _configuration(transport: Transport) -> Mapping[str, Any]:
    """Return the SMART configuration; an empty one where the server has none."""
    try:
        return transport.request("GET", CONFIGURATION, accept="application/json").body
    except (NotFound, Unauthorized):
        return {}
    except Refused as refusal:
        if refusal.codes[:1] in {("400",), ("403",), ("405",), ("406",)}:
            return {}
        raise


@transaction.atomic
def _kept(
    connection: EMRConnection,
    capability: dict[str, Any],
    configuration: dict[str, Any],
    now: datetime,
) -> ConnectionState:
    """Write what was said; a difference to what was said before is a change."""
    state = ConnectionState.objects.select_for_update().get(connection=connection)
    found = digest(capability, configuration)
    if state.discovered_at is not None and bytes(state.discovered_digest) != found:
        state.changed_at = now
        logger.warning("the record system offers something else", extra={"row": connection.pk})
    state.capability, state.smart = capability, configuration
    state.discovered_digest, state.discovered_at = found, now
    names = ["capability", "smart", "discovered_digest", "discovered_at", "changed_at"]
    state.save(update_fields=names)
    return state
