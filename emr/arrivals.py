"""Keeps what a record system tells, once, and has the worker look at it after the commit."""

from __future__ import annotations

from django.db import transaction
from django_q.tasks import async_task

from emr.kinds import Source
from emr.models import EMRConnection, InboundMessage
from emr.visits import Told

TAKE = "emr.tasks.take_in"


@transaction.atomic
def receive(
    connection: EMRConnection, told: Told, *, source: Source, key: str, body: str = ""
) -> bool:
    """Keep one message under its `key` (at most 200 characters); False where it is here already.

    `body` is sealed. Whoever answers the other side does so after this has committed.
    """
    message = InboundMessage(
        connection=connection,
        source=source.value,
        key=key,
        resource_type=told.resource_type,
        resource_id=told.resource_id,
        event=told.event,
        body=body,
    )
    is_new = not InboundMessage.objects.filter(connection=connection, key=key).exists()
    if is_new:
        InboundMessage.objects.bulk_create([message], ignore_conflicts=True)
        transaction.on_commit(lambda: async_task(TAKE))
    return is_new
