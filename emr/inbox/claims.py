"""The conditional writes of what came in: who has claimed it, and what became of it.

Of one resource only the first is ever claimed, and only while none of it is being taken, so that
its changes are taken one after the other. Every later write names the claim's fence.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from emr.inbox.outcomes import Outcome
from emr.kinds import Arrival, Source
from emr.models import EMRConnection, InboundMessage

LEASE = timedelta(seconds=180)
MOST_CODES = 8
UNREAD = (Arrival.RECEIVED.value, Arrival.CLAIMED.value)
# Materialized: as a mere sub-query it may be asked anew for every row, each time with the next.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT one.id FROM emr_inboundmessage AS one
    WHERE one.connection_id = %(connection)s AND one.not_before <= %(now)s
        AND (one.state = 'RECEIVED' OR one.state = 'CLAIMED' AND one.lease_until <= %(now)s)
        AND NOT EXISTS (
            SELECT FROM emr_inboundmessage AS other
            WHERE other.connection_id = one.connection_id AND other.id <> one.id
                AND other.state IN ('RECEIVED', 'CLAIMED')
                AND other.resource_type = one.resource_type
                AND other.resource_id = one.resource_id
                AND (other.id < one.id
                    OR other.state = 'CLAIMED' AND other.lease_until > %(now)s))
    ORDER BY one.not_before, one.id LIMIT %(most)s FOR UPDATE OF one SKIP LOCKED)
UPDATE emr_inboundmessage AS mine SET state = 'CLAIMED', fence = fence + 1,
    attempts = attempts + 1, lease_until = %(lease_until)s
FROM due WHERE mine.id = due.id
RETURNING mine.*
"""


def due(*, now: datetime) -> list[UUID]:
    """Return the active connections of which something is to be taken now."""
    unread = InboundMessage.objects.filter(state__in=UNREAD, not_before__lte=now)
    active = EMRConnection.objects.active().filter(pk__in=unread.values("connection"))
    return list(active.values_list("pk", flat=True))


def claim(connection: UUID, *, most: int, now: datetime) -> list[InboundMessage]:
    """Claim at most so many messages of different resources, oldest first."""
    values = {"connection": connection, "now": now, "lease_until": now + LEASE, "most": most}
    claimed: list[InboundMessage] = list(InboundMessage.objects.raw(CLAIM, values))
    return sorted(claimed, key=lambda message: message.pk)


def renew(message: InboundMessage, *, now: datetime) -> bool:
    """Begin the lease anew; False where another has claimed it since."""
    return _write(message, lease_until=now + LEASE)


def settle(message: InboundMessage, outcome: Outcome, *, now: datetime) -> bool:
    """Write what became of a message; False where another has claimed it since."""
    return _write(
        message,
        state=outcome.state.value,
        codes=list(outcome.codes)[:MOST_CODES],
        patient_id=outcome.patient,
        appointment_id=outcome.appointment,
        lease_until=None,
        done_at=now,
    )


def later(
    message: InboundMessage, *, at: datetime, codes: tuple[str, ...] = (), counts: bool = True
) -> bool:
    """Give a message back until `at`. What does not count is no attempt of its own."""
    return _write(
        message,
        state=Arrival.RECEIVED.value,
        codes=list(codes)[:MOST_CODES],
        not_before=at,
        lease_until=None,
        attempts=message.attempts - (not counts),
    )


def cover(message: InboundMessage, *, before: datetime, now: datetime) -> int:
    """Settle what told of the same resource before it was read: that reading was of all of it.

    A message that says all itself (HL7 v2) is covered by no other.
    """
    if message.source == Source.HL7:
        return 0
    same = InboundMessage.objects.filter(
        connection=message.connection_id,
        resource_type=message.resource_type,
        resource_id=message.resource_id,
        state=Arrival.RECEIVED.value,
        received_at__lt=before,
    ).exclude(source=Source.HL7.value)
    return same.update(state=Arrival.IGNORED.value, codes=["read-with-another"], done_at=now)


def again(message: InboundMessage, *, now: datetime) -> bool:
    """Have a message that nobody could take looked at once more; False where it is not dead."""
    rows = InboundMessage.objects.filter(pk=message.pk, state=Arrival.DEAD.value)
    values = {"not_before": now, "attempts": 0, "codes": [], "done_at": None}
    return bool(rows.update(state=Arrival.RECEIVED.value, **values))


def _write(message: InboundMessage, **values: Any) -> bool:
    rows = InboundMessage.objects.filter(
        pk=message.pk, fence=message.fence, state=Arrival.CLAIMED.value
    )
    return bool(rows.update(**values))
