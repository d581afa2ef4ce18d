"""The queue's conditional writes: who has claimed a message, and what became of it.

Every write names the message's fence and the state that it leads away from, so that whoever lost a
claim changes nothing. Leases end by the database's clock. `sending_at` stands while a message was
perhaps taken by the other side; it is searched for before it is sent again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import F

from emr.kinds import LIVE, State, Why
from emr.models import EMRConnection, OutboundMessage

CLAIMED, SENDING, QUEUED, UNKNOWN = State.CLAIMED, State.SENDING, State.QUEUED, State.UNKNOWN
CLAIM = timedelta(seconds=120)
# What may pass beyond the other side's own time: some requests, and writing down what came of it.
TIMEOUTS, MARGIN = 4, timedelta(seconds=30)
MOST_CODES, LONGEST_CODE = 8, 60
_LIVE = ", ".join(f"'{state.value}'" for state in LIVE)

# The first of each visit, unless another of it is on its way; what is of no visit waits for none.
IS_FIRST = f"""NOT EXISTS (
    SELECT FROM emr_outboundmessage AS other
    WHERE other.appointment_id = one.appointment_id AND other.connection_id = one.connection_id
        AND other.state IN ({_LIVE}) AND other.id <> one.id
        AND ((other.version, other.rank, other.id) < (one.version, one.rank, one.id)
            OR other.state IN ('CLAIMED', 'SENDING')))"""
DUE = f"""
    SELECT one.id FROM emr_outboundmessage AS one
    WHERE one.connection_id = %(connection)s AND one.state IN ('QUEUED', 'UNKNOWN')
        AND one.not_before <= %(now)s AND {IS_FIRST}
    ORDER BY one.not_before, one.id LIMIT %(most)s"""  # noqa: S608
# Materialized: as a mere sub-query it may be asked anew for every row, each time with the next.
CLAIM_SOME = f"""
WITH due AS MATERIALIZED ({DUE} FOR UPDATE OF one SKIP LOCKED)
UPDATE emr_outboundmessage AS mine SET state = 'CLAIMED', fence = fence + 1,
    lease_until = clock_timestamp() + %(lease)s::interval
FROM due WHERE mine.id = due.id
RETURNING mine.*
"""  # noqa: S608
# With it goes the row of the record: no message leaves without, and none is written of another.
BEGIN = """
WITH begun AS (
UPDATE emr_outboundmessage SET state = 'SENDING', attempts = attempts + 1, sending_at = %(now)s,
    lease_until = clock_timestamp() + %(lease)s::interval
WHERE id = %(id)s AND fence = %(fence)s AND state = 'CLAIMED' AND lease_until > clock_timestamp()
    AND (%(visit)s::uuid IS NULL OR EXISTS (SELECT FROM scheduling_appointment
        WHERE id = %(visit)s::uuid AND version = %(version)s))
RETURNING id
)
SELECT daysheet_record(%(record)s::jsonb) FROM begun
"""
# A worker that died before it began has told nobody anything, unless an earlier one had begun.
SWEEP = """
UPDATE emr_outboundmessage SET
    state = CASE WHEN sending_at IS NULL THEN 'QUEUED' ELSE 'UNKNOWN' END,
    not_before = CASE WHEN state = 'SENDING' THEN greatest(not_before, sending_at + %(look_after)s)
        ELSE not_before END
WHERE connection_id = %(connection)s AND state IN ('CLAIMED', 'SENDING')
    AND lease_until <= clock_timestamp()
"""
# Whatever forgot to wake them: those whose patient is known by now wait for nobody.
WAKE_LINKED = """
UPDATE emr_outboundmessage AS one SET state = 'QUEUED', why = ''
WHERE connection_id = %(connection)s AND state = 'WAITING' AND why = 'NO_PATIENT' AND EXISTS (
    SELECT FROM emr_emrlink AS link WHERE link.source_system = %(source)s
        AND link.resource_type = 'Patient' AND link.local_id = one.patient_id
        AND link.local_model = 'patients.patient' AND link.ended_at IS NULL)
"""


def claim(connection: EMRConnection, *, most: int = 1, now: datetime) -> list[OutboundMessage]:
    """Claim up to so many messages that are due: of each visit the first alone."""
    values = {"connection": connection.pk, "now": now, "most": most, "lease": CLAIM}
    return list(OutboundMessage.objects.raw(CLAIM_SOME, values))


def count_due(connection: EMRConnection, *, most: int, now: datetime) -> int:
    """Return how many could be claimed now, and `most` where there are more."""
    with database.cursor() as cursor:
        cursor.execute(DUE, {"connection": connection.pk, "now": now, "most": most})
        return len(cursor.fetchall())


def begin(
    message: OutboundMessage,
    *,
    visit_version: int | None,
    timeout: timedelta,
    record: dict[str, Any],
    now: datetime,
) -> bool:
    """Turn a claim into a sending; False where the claim was lost, the visit has changed since it
    was read at `visit_version`, or another message of it is on its way.

    `record` is the row of the record of it, as `audit.row_of` makes it; it is written with it.
    From here on, until it is said what became of it, the message counts as perhaps sent.
    """
    values: dict[str, Any] = {
        "id": message.pk,
        "fence": message.fence,
        "now": now,
        "lease": TIMEOUTS * timeout + MARGIN,
        "visit": message.appointment_id if visit_version is not None else None,
        "version": visit_version,
        "record": json.dumps(record),
    }
    try:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(BEGIN, values)
            return bool(cursor.rowcount)
    except IntegrityError as error:
        if "emr_one_sending_of_visit" not in str(error):
            raise
        return False


def is_held(message: OutboundMessage) -> bool:
    """Whether the claim still stands."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT FROM emr_outboundmessage WHERE id = %s AND fence = %s AND state = 'CLAIMED'"
            " AND lease_until > clock_timestamp()",
            [message.pk, message.fence],
        )
        return bool(cursor.rowcount)


def done(message: OutboundMessage, *, now: datetime) -> bool:
    """Write that the other side has it, and that earlier ones of the visit which failed need not
    be repeated."""
    is_done = _leave(message, SENDING, state=State.DONE, why=Why.NONE, codes=(), done_at=now)
    if is_done and message.appointment_id is not None:
        earlier = OutboundMessage.objects.filter(
            connection=message.connection_id,
            appointment=message.appointment_id,
            what=message.what,
            state=State.DEAD.value,
            version__lte=message.version,
        )
        earlier.update(state=State.SKIPPED.value, why=Why.SUPERSEDED.value)
    return is_done


def retry(
    message: OutboundMessage,
    *,
    why: Why = Why.NONE,
    codes: Sequence[str] = (),
    not_before: datetime,
    away_from: State = SENDING,
) -> bool:
    """Queue a message again that the other side surely did not take."""
    values = {"why": why, "codes": codes, "not_before": not_before, "sending_at": None}
    return _leave(message, away_from, state=QUEUED, **values)


def unsure(
    message: OutboundMessage,
    *,
    codes: Sequence[str] = (),
    look_at: datetime,
    away_from: State = SENDING,
) -> bool:
    """Write that nobody knows whether the other side has it; from `look_at` on it is looked for."""
    return _leave(message, away_from, state=UNKNOWN, why=Why.NONE, codes=codes, not_before=look_at)


def dead(
    message: OutboundMessage,
    *,
    why: Why,
    codes: Sequence[str] = (),
    now: datetime,
    away_from: State = SENDING,
) -> bool:
    """Write that it will not arrive unless somebody does something."""
    return _leave(message, away_from, state=State.DEAD, why=why, codes=codes, done_at=now)


def skip(message: OutboundMessage, *, why: Why, now: datetime, away_from: State = CLAIMED) -> bool:
    """Write that it is not sent after all."""
    return _leave(message, away_from, state=State.SKIPPED, why=why, codes=(), done_at=now)


def wait(message: OutboundMessage, *, why: Why, away_from: State = CLAIMED) -> bool:
    """Let it wait for somebody, until `writing.wake`; what was begun came to nothing there."""
    ended = {"sending_at": None} if away_from is SENDING else {}
    return _leave(message, away_from, state=State.WAITING, why=why, codes=(), **ended)


def hand_back(message: OutboundMessage, *, not_before: datetime | None = None) -> bool:
    """Give a claim up that was not begun; it may be taken again from `not_before` on.

    What was perhaps sent before is still looked for first.
    """
    later = {} if not_before is None else {"not_before": not_before}
    state = QUEUED if message.sending_at is None else UNKNOWN
    return _leave(message, CLAIMED, state=state, **later)


def sweep(connection: EMRConnection, *, look_after: timedelta) -> int:
    """Free what dead workers held, and wake what waits for a patient who is known by now; return
    how many rows of the first kind. What was begun is looked for `look_after` later."""
    values: dict[str, Any] = {
        "connection": connection.pk,
        "source": connection.source_system,
        "look_after": look_after,
    }
    with database.cursor() as cursor:
        cursor.execute(SWEEP, values)
        freed: int = cursor.rowcount
        cursor.execute(WAKE_LINKED, values)
    return freed


def _leave(message: OutboundMessage, state: State, /, **values: Any) -> bool:
    if "codes" in values:
        values["codes"] = [code[:LONGEST_CODE] for code in values["codes"]][:MOST_CODES]
    if state is CLAIMED and values["state"] in {QUEUED, UNKNOWN, State.DEAD} and "why" in values:
        values["attempts"] = F("attempts") + 1  # a try that ended before it was begun
    rows = OutboundMessage.objects.filter(pk=message.pk, fence=message.fence, state=state.value)
    return bool(rows.update(**values))
