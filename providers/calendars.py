"""Bumping provider calendars: the one lock that orders every change of a provider's free time."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable

from django.db import connection

BUMP = """
WITH due AS MATERIALIZED (
    SELECT provider_id FROM providers_providercalendar
    WHERE provider_id = ANY(%s) ORDER BY provider_id FOR NO KEY UPDATE
)
UPDATE providers_providercalendar AS calendar
SET version = version + 1, stamp = %s, bumped_by = pg_current_xact_id()
FROM due WHERE calendar.provider_id = due.provider_id
"""
BUMP_ONE = """
UPDATE providers_providercalendar
SET version = version + 1, stamp = %s, bumped_by = pg_current_xact_id()
WHERE provider_id = %s
"""


def bump(provider_ids: Iterable[uuid.UUID]) -> None:
    """Lock these providers' calendars in id order, and mark them changed by this transaction.

    Must run inside the transaction that changes their free time, after its rows are written.
    Raises OperationalError (lock_not_available) when `lock_timeout` is set and runs out.
    """
    ids = sorted(set(provider_ids))
    stamp = secrets.randbits(64) - 2**63
    with connection.cursor() as cursor:
        if len(ids) == 1:
            cursor.execute(BUMP_ONE, [stamp, ids[0]])
        elif ids:
            cursor.execute(BUMP, [ids, stamp])
