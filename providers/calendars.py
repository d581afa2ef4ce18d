"""Bumping provider calendars: the one lock that orders every change of a provider's free time."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable

from django.db import connection

BUMP = "SELECT daysheet_bump(%s::uuid[], %s)"


def fresh_stamp() -> int:
    """Return 64 random bits as PostgreSQL's signed bigint."""
    return secrets.randbits(64) - 2**63


def bump(provider_ids: Iterable[uuid.UUID]) -> int:
    """Lock these providers' calendars in id order, and mark them changed by this transaction.

    Returns the stamp that they have now.

    Must run inside the transaction that changes their free time, after its rows are written.
    Raises OperationalError (lock_not_available) when `lock_timeout` is set and runs out.
    """
    ids, stamp = sorted(set(provider_ids)), fresh_stamp()
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(BUMP, [ids, stamp])
    return stamp
