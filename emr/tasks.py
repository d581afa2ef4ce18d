"""What the worker does for record systems. Arguments are ids only, and every task may run twice."""

from __future__ import annotations

import logging
from collections import Counter

from django.utils import timezone
from django_q.tasks import async_task

from emr import pacing
from emr.failures import EMRError
from emr.inbox import polling, taking
from emr.kinds import Vendor
from emr.models import EMRConnection
from emr.outbox import pushing
from emr.smart import discovery

logger = logging.getLogger(__name__)


def push(connection_id: str | None = None) -> dict[str, int]:
    """Tell record systems what is due: one of them, or all; what takes longer than a task may goes
    on in one of its own."""
    done = pushing.push(connection_id)
    if done.get("unfinished"):
        async_task("emr.tasks.push", connection_id)
    return done


def take_in() -> dict[str, int]:
    """Take what record systems have told: called when something came in, and every minute."""
    done = taking.take_in()
    if done[taking.UNFINISHED]:
        async_task("emr.tasks.take_in")
    return dict(done)


def poll(connection_id: str | None = None) -> dict[str, int]:
    """Ask record systems what has changed: those whose time has come, or one now."""
    if connection_id is None:
        return dict(polling.poll_due(now=timezone.now()))
    return dict(polling.poll_one(connection_id))


def discover() -> dict[str, int]:
    """Ask every FHIR server what it offers: daily, so that a change is seen within a day.

    Returns how many answered and how many did not; one that fails keeps none from being asked.
    """
    count = Counter(answered=0, failed=0)
    for connection in EMRConnection.objects.active().exclude(vendor=Vendor.HL7V2.value):
        try:
            discovery.refresh(connection, now=timezone.now())
        except EMRError as error:
            pacing.failed(connection, error, now=timezone.now())
            logger.warning("discovery failed", extra={"row": connection.pk})
            count["failed"] += 1
        else:
            count["answered"] += 1
    return dict(count)


def check(connection_id: str) -> bool:
    """Ask one server anew what it offers, because somebody wants to know; say whether it answered.

    HL7 v2 has nothing to be asked: its answer is that of the next message.
    """
    connection = EMRConnection.objects.active().filter(pk=connection_id).first()
    if connection is None or connection.vendor == Vendor.HL7V2:
        return False
    try:
        discovery.refresh(connection, now=timezone.now())
    except EMRError as error:
        pacing.failed(connection, error, now=timezone.now())
        return False
    pacing.succeeded(connection, now=timezone.now())
    return True
