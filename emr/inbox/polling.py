"""Asks record systems that tell nothing themselves what has changed, each as often as it is set to.

What is told and how far it was told are written together, so that nothing is missed or lost.
"""

from __future__ import annotations

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from emr import arrivals
from emr.drivers.opening import opened
from emr.failures import EMRError
from emr.inbox.keys import key_of, new_key
from emr.kinds import Source
from emr.models import ConnectionState, EMRConnection, EMRLink
from emr.visits import Changes, Told
from patients.privacy import audit

logger = logging.getLogger(__name__)

SYSTEM, PURPOSE = "system:emr", "emr"
LEASE = timedelta(minutes=3)
SECONDS = 30.0
MOST_PAGES = 20
MOST_THREADS = 8


def poll_due(*, now: datetime) -> Counter[str]:
    """Ask every connection whose time has come, each in a thread of its own."""
    due = [pk for pk in _watched() if is_due(pk, now=now)]
    if len(due) < 2:
        return sum((_polled(pk) for pk in due), Counter())
    with ThreadPoolExecutor(min(len(due), MOST_THREADS), thread_name_prefix="emr-poll") as pool:
        parts = [pool.submit(_in_thread, pk) for pk in due]
    return sum((part.result() for part in parts), Counter())


def poll_one(connection_id: str) -> Counter[str]:
    """Ask one active connection now, however often it is asked otherwise."""
    pk = UUID(connection_id)
    is_active = EMRConnection.objects.active().filter(pk=pk).exists()
    return _polled(pk) if is_active else Counter()


def is_due(pk: UUID, *, now: datetime) -> bool:
    connection = EMRConnection.objects.select_related("state").get(pk=pk)
    polled_at = connection.state.polled_at if hasattr(connection, "state") else None
    every = timedelta(minutes=connection.polls_every_minutes)
    return polled_at is None or polled_at + every <= now


def poll(pk: UUID, *, seconds: float = SECONDS, now: datetime) -> int | None:
    """Ask one connection for its changes; return how many are new here, None where another is
    asking. Raises the kinds of EMRError; what was told before stays."""
    connection = EMRConnection.objects.select_related("clinic").get(pk=pk)
    ConnectionState.objects.get_or_create(connection=connection)
    ends_at = monotonic() + seconds
    if not _lease(connection, now=now):
        return None
    try:
        with audit.keeping_record(system=SYSTEM, purpose=PURPOSE, clinic=connection.clinic):
            return _pages(connection, ends_at=ends_at, now=now)
    finally:
        ConnectionState.objects.filter(connection=connection).update(poll_lease_until=None)


def _pages(connection: EMRConnection, *, ends_at: float, now: datetime) -> int:
    count = 0
    with opened(connection) as driver:
        for _page in range(MOST_PAGES):
            state = ConnectionState.objects.get(connection=connection)
            changes = driver.changes_since(state.cursor, now=now)
            count += _keep(connection, changes, now=now)
            if not changes.has_more or monotonic() >= ends_at:
                break
    return count


@transaction.atomic
def _keep(connection: EMRConnection, changes: Changes, *, now: datetime) -> int:
    """Keep what is told and the cursor after it; of what is half told, the rest comes soon."""
    kept = sum(
        arrivals.receive(
            connection,
            Told(told.resource_type, told.resource_id, told.version_id, told.event),
            source=Source.POLL,
            key=key_of(told) or new_key(told),
        )
        for told in _news(connection, changes)
    )
    values = {"cursor": dict(changes.cursor)}
    done = {} if changes.has_more else {"polled_at": now}
    ConnectionState.objects.filter(connection=connection).update(**values, **done)
    return kept


def _news(connection: EMRConnection, changes: Changes) -> list[Told]:
    """Leave out the versions that we have seen, our own among them."""
    links = EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_id__in={told.resource_id for told in changes.told},
    ).exclude(version_id="")
    seen = set(links.values_list("resource_type", "resource_id", "version_id"))
    return [
        told
        for told in changes.told
        if (told.resource_type, told.resource_id, told.version_id) not in seen
    ]


def _lease(connection: EMRConnection, *, now: datetime) -> bool:
    free = Q(poll_lease_until=None) | Q(poll_lease_until__lte=now)
    rows = ConnectionState.objects.filter(free, connection=connection)
    return bool(rows.update(poll_lease_until=now + LEASE))


def _watched() -> list[UUID]:
    watched = EMRConnection.objects.active().filter(polls_every_minutes__gt=0)
    return list(watched.values_list("pk", flat=True))


def _polled(pk: UUID) -> Counter[str]:
    """Poll one; that it does not answer is no reason not to ask the others."""
    try:
        told = poll(pk, now=timezone.now())
    except EMRError as error:
        logger.warning("emr poll failed", extra={"row": str(pk), "code": type(error).__name__})
        return Counter(failed=1)
    return Counter(told=told or 0)


def _in_thread(pk: UUID) -> Counter[str]:
    try:
        return _polled(pk)
    finally:
        connections.close_all()
