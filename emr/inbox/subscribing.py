"""Asks a server to tell us of changes, where it offers to; once, however often it is asked.

Servers that do not offer it are polled, or send HL7 v2.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from emr.drivers.answers import made
from emr.drivers.asking import Asker
from emr.drivers.opening import asking, opened
from emr.failures import NotOffered
from emr.fhir.subscription import subscription
from emr.inbox.hooks import SHORTEST_SECRET
from emr.kinds import Feature
from emr.models import EMRConnection
from patients.privacy import audit

SYSTEM, PURPOSE = "system:emr", "emr"
CRITERIA = (
    "Appointment?",
    "Patient?",
    "ServiceRequest?status=active",
    "DiagnosticReport?status=final",
)
LIVE = {"requested", "active"}


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Which criteria are new, and which the server knew already."""

    new: tuple[str, ...]
    known: tuple[str, ...]


def subscribe(connection: EMRConnection) -> Subscribed:
    """Subscribe to what concerns us. A connection without a secret is given one first.

    Raises NotOffered, and the other kinds of EMRError.
    """
    with audit.keeping_record(system=SYSTEM, purpose=PURPOSE, clinic=connection.clinic):
        with opened(connection) as driver:
            if Feature.SUBSCRIBE not in driver.features:
                raise NotOffered(Feature.SUBSCRIBE.value)
        _give_secret(connection)
        with asking(connection) as asker:
            known = _known(asker, endpoint_of(connection))
            new = tuple(criteria for criteria in CRITERIA if criteria not in known)
            for criteria in new:
                _ask(asker, connection, criteria)
    return Subscribed(new, tuple(one for one in CRITERIA if one in known))


def endpoint_of(connection: EMRConnection) -> str:
    """Return where the connection's server is to notify us."""
    return f"{settings.SITE_URL}{reverse('emr_hooks:notified', args=[connection.pk])}"


def _ask(asker: Asker, connection: EMRConnection, criteria: str) -> None:
    wanted = subscription(endpoint_of(connection), criteria, connection.hook_secret)
    made(asker.ask("POST", "Subscription", json=wanted), "Subscription")


def _known(asker: Asker, endpoint: str) -> set[str]:
    """Return the criteria for which the server has a live subscription to our address."""
    found = asker.found("Subscription", [("url", endpoint)])
    return {
        str(one.get("criteria"))
        for one in found
        if one.get("status") in LIVE and (one.get("channel") or {}).get("endpoint") == endpoint
    }


def _give_secret(connection: EMRConnection) -> None:
    if len(connection.hook_secret) < SHORTEST_SECRET:
        connection.hook_secret = secrets.token_urlsafe(32)
        connection.save(update_fields=["hook_secret"])
