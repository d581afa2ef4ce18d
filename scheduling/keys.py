"""Idempotency keys: sending the same request twice does it once and answers the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from providers.fields import new_id
from scheduling.errors import KeyReused
from scheduling.transactions import lock_timeout

LIFETIME = timedelta(hours=24)

CLAIM = """
INSERT INTO scheduling_idempotencykey AS kept
    (id, actor, key, request_digest, outcome, expires_at)
SELECT %s::uuid, %s::text, %s::text, %s::bytea, %s::jsonb, %s::timestamptz
FROM set_config('lock_timeout', %s, true)
ON CONFLICT (actor, key) DO UPDATE
    SET request_digest = excluded.request_digest, outcome = excluded.outcome,
        expires_at = excluded.expires_at
    WHERE kept.expires_at <= clock_timestamp()
RETURNING id
"""
FIND = """
SELECT request_digest, outcome FROM scheduling_idempotencykey WHERE actor = %s AND key = %s
"""


@dataclass(frozen=True, slots=True)
class RequestKey:
    """`actor` is a user or a browser, `key` what its form carries; both at most 64 characters."""

    actor: str
    key: str


def digest(request: dict[str, Any]) -> bytes:
    """Return the 32-byte digest by which two requests are the same."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, default=str).encode()).digest()


def claim(
    key: RequestKey, *, request: dict[str, Any], outcome: list[UUID], now: datetime
) -> list[UUID]:
    """Keep this outcome (ids only) under the key, or return the one that is kept already.

    The first statement of the transaction that brings the outcome about: a second request with
    the same key waits for the first to end, as long as any lock is waited for. Raises KeyReused
    if it was another request.
    """
    kept = json.dumps([str(pk) for pk in outcome])
    with connection.cursor() as cursor:
        cursor.execute(
            CLAIM,
            [
                new_id(),
                key.actor,
                key.key,
                digest(request),
                kept,
                now + LIFETIME,
                lock_timeout(),
            ],
        )
        if cursor.fetchone():
            return outcome
    earlier = find(key, request=request)
    return outcome if earlier is None else earlier


def find(key: RequestKey, *, request: dict[str, Any]) -> list[UUID] | None:
    """Return the ids that an earlier request with this key brought about; None if there was none.

    Raises KeyReused if it was another request.
    """
    with connection.cursor() as cursor:
        cursor.execute(FIND, [key.actor, key.key])
        row = cursor.fetchone()
    if row is None:
        return None
    if bytes(row[0]) != digest(request):
        raise KeyReused
    return [UUID(pk) for pk in json.loads(row[1])]
