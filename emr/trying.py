"""Has a connection tried at once, and what came in read once more, because somebody asks for it.

Queues the work; nothing is sent from here.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django_q.tasks import async_task

from emr.arrivals import TAKE
from emr.inbox import claims
from emr.kinds import Arrival, State
from emr.models import ConnectionState, EMRConnection, InboundMessage, OutboundMessage

PUSH, CHECK = "emr.tasks.push", "emr.tasks.check"


@transaction.atomic
def try_now(connection: EMRConnection, *, now: datetime) -> None:
    """End the connection's pause, let what was tried before leave now, and ask what it offers.

    What waits for its first try keeps its time: it may still be undone.
    """
    ConnectionState.objects.filter(connection=connection).update(
        open_until=None, paused_until=None, failures=0
    )
    OutboundMessage.objects.filter(
        connection=connection,
        state__in=[State.QUEUED.value, State.UNKNOWN.value],
        attempts__gt=0,
        not_before__gt=now,
    ).update(not_before=now)
    key = str(connection.pk)
    transaction.on_commit(lambda: async_task(CHECK, key))
    transaction.on_commit(lambda: async_task(PUSH, key))


@transaction.atomic
def take_again(message: InboundMessage, *, now: datetime) -> bool:
    """Have a message that was not understood read anew; False where it needs nobody."""
    is_again = claims.again(message, now=now)
    if is_again:
        transaction.on_commit(lambda: async_task(TAKE))
    return is_again


def leave_alone(message: InboundMessage, *, now: datetime) -> bool:
    """Take a message that was not understood off the list; False where it needs nobody."""
    dead = InboundMessage.objects.filter(pk=message.pk, state=Arrival.DEAD.value)
    return bool(dead.update(state=Arrival.IGNORED.value, done_at=now))
