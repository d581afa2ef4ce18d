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

LIFETIME = timedelta(hours=24)

CLAIM = """
INSERT INTO scheduling_idempotencykey AS kept
    (id, actor, key, request_digest, outcome, expires_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (actor, key) DO UPDATE
    SET request_digest = excluded.request_digest, outcome = excluded.outcome,
        expires_at = excluded.expires_at
    WHERE kept.expires_at <= clock_timestamp()
RETURNING id
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
    the same key waits for the first to end. Raises KeyReused if it was another request.
    """
    wanted = digest(request)
    ids = json.dumps([str(pk) for pk in outcome])
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [new_id(), key.actor, key.key, wanted, ids, now + LIFETIME])
        if cursor.fetchone():
            return outcome
        cursor.execute(
            "SELECT request_digest, outcome FROM scheduling_idempotencykey"
            " WHERE actor = %s AND key = %s",
            [key.actor, key.key],
        )
        kept, earlier = cursor.fetchone()
    if bytes(kept) != wanted:
        raise KeyReused
    return [UUID(pk) for pk in json.loads(earlier)]
