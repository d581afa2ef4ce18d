"""The ledger's conditional writes: who has claimed a delivery, and what became of it.

Every write names the delivery's fence and the state that it leads away from, so that whoever lost a
claim changes nothing. Claims end by the database's clock.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F

from providers.fields import ClockTimestamp
from reminders.channels.base import Receipt
from reminders.kinds import Channel, State, Why
from reminders.models import Delivery
from reminders.reach import Route

# A claim holds for a few messages, one after the other, each as slow as a vendor may be.
CLAIM = timedelta(seconds=120)
LONGEST_CODE, LONGEST_ID = 24, 120
CLAIMED, SENDING, QUEUED, UNKNOWN = State.CLAIMED, State.SENDING, State.QUEUED, State.UNKNOWN

# Materialized: a plan that asked the inner query again would lock further rows, and claim too many.
CLAIM_SOME = """
WITH due AS MATERIALIZED (
    SELECT id FROM reminders_delivery
    WHERE state = 'QUEUED' AND not_before <= %(now)s AND channel = ANY(%(channels)s::text[])
    ORDER BY is_automated, not_before, id LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE reminders_delivery SET state = 'CLAIMED', fence = fence + 1,
    lease_until = clock_timestamp() + %(lease)s::interval
FROM due WHERE reminders_delivery.id = due.id
RETURNING reminders_delivery.*
"""
# With it goes the row of the record: no message leaves without, and none is written of another.
BEGIN = """
WITH begun AS (
UPDATE reminders_delivery SET state = 'SENDING', vendor = %(vendor)s, vendor_id = '',
    vendor_status = '', error_code = '', body_digest = %(digest)s, recipient_index = %(index)s,
    device_id = %(device)s::uuid, attempts = attempts + 1, sending_at = %(now)s,
    lease_until = clock_timestamp() + %(lease)s::interval
WHERE id = %(id)s AND fence = %(fence)s AND state = 'CLAIMED' AND lease_until > clock_timestamp()
    AND NOT EXISTS (SELECT FROM reminders_suppression WHERE channel = %(channel)s
        AND recipient_index = ANY(%(refused)s::bytea[]) AND lifted_at IS NULL)
    AND (SELECT count(*) FROM scheduling_appointment
        JOIN unnest(%(visits)s::uuid[], %(versions)s::int[]) AS seen(id, version)
            USING (id, version)) = cardinality(%(visits)s::uuid[])
    AND (%(offer)s::uuid IS NULL OR EXISTS (SELECT FROM scheduling_waitlistoffer
        WHERE id = %(offer)s::uuid AND status = 'OFFERED' AND expires_at > %(now)s))
    AND (%(patient)s::uuid IS NULL OR EXISTS (
        SELECT FROM patients_patient AS patient
            LEFT JOIN reminders_contactpreference AS chosen ON chosen.patient_id = patient.id
        WHERE patient.id = %(patient)s::uuid AND patient.merged_into_id IS NULL
            AND chosen.updated_at IS NOT DISTINCT FROM %(chosen)s::timestamptz
            AND (%(contact)s::text = '' OR %(index)s = CASE %(contact)s::text
                WHEN 'email' THEN patient.email_index ELSE patient.phone_index END)))
    AND (%(device)s::uuid IS NULL OR EXISTS (SELECT FROM reminders_pushsubscription
        WHERE id = %(device)s::uuid AND ended_at IS NULL))
RETURNING id
)
SELECT daysheet_record(%(record)s::jsonb) FROM begun
"""
# A vendor's report may have been quicker than its answer: what it said stays.
SENT = """
WITH done AS (
    UPDATE reminders_delivery
    SET state = CASE WHEN state IN ('SENDING', 'UNKNOWN') THEN %(state)s::text ELSE state END,
        vendor_id = %(vendor_id)s, sent_at = coalesce(sent_at, %(now)s),
        vendor_status = CASE WHEN vendor_status = '' THEN %(status)s::text ELSE vendor_status END,
        delivered_at = CASE WHEN %(state)s::text = 'DELIVERED' THEN coalesce(delivered_at, %(now)s)
            ELSE delivered_at END
    WHERE id = %(id)s AND fence = %(fence)s
        AND state IN ('SENDING', 'UNKNOWN', 'SENT', 'DELIVERED', 'FAILED')
    RETURNING id
), reminded AS (
    UPDATE reminders_reminder SET sent_at = %(now)s FROM done
    WHERE delivery_id = done.id AND standing = 'TAKEN' AND sent_at IS NULL
), told AS (
    UPDATE reminders_notice SET sent_at = %(now)s FROM done
    WHERE delivery_id = done.id AND standing = 'TAKEN' AND sent_at IS NULL
)
SELECT count(*) FROM done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a message was judged and composed by; if any of it changed, it may not be sent.

    `visits` are ids with versions; an `offer` must still stand. `contact` is the column of the
    patient's record that holds where it goes, empty where it goes elsewhere; `chosen` is when
    their preference last changed. `refused` are the digests that must not be suppressed.
    """

    visits: dict[UUID, int] = field(default_factory=dict)
    offer: UUID | None = None
    patient: UUID | None = None
    contact: str = ""
    chosen: datetime | None = None
    refused: Sequence[bytes] = ()


def claim(*, channels: Collection[Channel], most: int, now: datetime) -> list[Delivery]:
    """Claim up to so many queued deliveries; those that somebody waits for come first."""
    if not channels:
        return []
    values: dict[str, Any] = {
        "lease": CLAIM,
        "now": now,
        "channels": [channel.value for channel in channels],
        "most": most,
    }
    return list(Delivery.objects.raw(CLAIM_SOME, values))


def hand_back(deliveries: Iterable[Delivery], *, not_before: datetime | None = None) -> int:
    """Give claims up that were not begun; others may take them, from `not_before` on."""
    later = {} if not_before is None else {"not_before": not_before}
    return sum(_leave(one, CLAIMED, state=QUEUED.value, **later) for one in deliveries)


def begin(
    delivery: Delivery,
    *,
    route: Route,
    vendor: str,
    digest: bytes,
    seen: Seen,
    record: dict[str, Any],
    now: datetime,
) -> bool:
    """Turn a claim into a sending; False where the claim was lost or the world has changed.

    `record` is the row of the record of it, as `audit.row_of` makes it; it is written with it.
    From here on, until it is said what became of it, the message counts as perhaps sent.
    """
    values: dict[str, Any] = {
        "id": delivery.pk,
        "fence": delivery.fence,
        "now": now,
        "lease": timedelta(seconds=2 * settings.VENDOR_TIMEOUT_SECONDS + 10),
        "vendor": vendor,
        "digest": digest,
        "channel": route.channel.value,
        "index": route.index,
        "device": None if route.device is None else route.device.pk,
        "refused": list(seen.refused),
        "visits": list(seen.visits),
        "versions": list(seen.visits.values()),
        "offer": seen.offer,
        "patient": seen.patient,
        "contact": seen.contact,
        "chosen": seen.chosen,
        "record": json.dumps(record),
    }
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, values)
        return bool(cursor.rowcount)


def sent(delivery: Delivery, receipt: Receipt, *, now: datetime) -> bool:
    """Write that the vendor has it, and when the visits' patients were told."""
    values: dict[str, Any] = {
        "id": delivery.pk,
        "fence": delivery.fence,
        "now": now,
        "state": receipt.state.value,
        "vendor_id": receipt.vendor_id[:LONGEST_ID],
        "status": receipt.vendor_status[:LONGEST_CODE],
    }
    with connection.cursor() as cursor:
        cursor.execute(SENT, values)
        return bool(cursor.fetchone()[0])


def retried(delivery: Delivery, *, code: str, not_before: datetime) -> bool:
    """Queue a message again that the vendor surely did not take."""
    return _leave(delivery, SENDING, state=QUEUED.value, not_before=not_before, error_code=_s(code))


def failed(delivery: Delivery, *, why: Why, code: str, away_from: State = State.SENDING) -> bool:
    """Write that a message will not arrive."""
    return _leave(delivery, away_from, state=State.FAILED.value, why=why.value, error_code=_s(code))


def unsure(delivery: Delivery, *, code: str, look_at: datetime) -> bool:
    """Write that nobody knows whether the vendor has it; from `look_at` on it is looked for."""
    return _leave(delivery, SENDING, state=UNKNOWN.value, not_before=look_at, error_code=_s(code))


def skipped(delivery: Delivery, *, why: Why) -> bool:
    """Write that a claimed message is not sent after all."""
    return _leave(delivery, CLAIMED, state=State.SKIPPED.value, why=why.value)


def stumbled(delivery: Delivery, *, code: str, not_before: datetime) -> bool:
    """Count a try that ended before the vendor was spoken to, and queue the message again."""
    values = {"state": QUEUED.value, "not_before": not_before, "error_code": _s(code)}
    return _leave(delivery, CLAIMED, attempts=F("attempts") + 1, **values)


def is_held(delivery: Delivery) -> bool:
    """Whether the claim still stands."""
    held: bool = _mine(delivery, CLAIMED).filter(lease_until__gt=ClockTimestamp()).exists()
    return held


def _mine(delivery: Delivery, state: State) -> Any:
    return Delivery.objects.filter(pk=delivery.pk, fence=delivery.fence, state=state.value)


def _leave(delivery: Delivery, state: State, /, **values: Any) -> bool:
    return bool(_mine(delivery, state).update(**values))


def _s(code: str) -> str:
    return code[:LONGEST_CODE]
