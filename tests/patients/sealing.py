"""A small audit that is written and sealed for real, and ways to look at it as its owner could."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from patients.privacy.seal import Sealed, seal

GUARDS = """
ALTER TABLE patients_auditentry {0} TRIGGER USER;
ALTER TABLE patients_auditseal {0} TRIGGER USER
"""
AT_WORK = ["RECEPTIONIST", "PROVIDER", "CLINIC_ADMIN"]
PATIENCE_SECONDS = 300
UNSETTLED = """
SELECT 1 FROM patients_auditentry
WHERE written_on = (pg_control_system()).system_identifier
    AND written_in >= pg_snapshot_xmin(pg_current_snapshot()) LIMIT 1
"""
NAMES = ["given_name", "family_name", "dob", "phone", "reason"]


def write_rows(count: int, *, seed: int = 0) -> None:
    """Write rows in one transaction, of many kinds; the same seed gives the same rows."""
    dice = random.Random(seed)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            "SELECT daysheet_record(%s::jsonb)", [[json.dumps(_row(dice))] for _ in range(count)]
        )


def _row(dice: random.Random) -> dict[str, object]:
    return {
        "system": f"system:job-{dice.randrange(5)}",
        "action": dice.randrange(4),
        "role": dice.choice(AT_WORK),
        "page": f"desk:page\t{dice.randrange(9)}\n",
        "purpose": "care",
        "object": str(dice.randrange(10**6)),
        "patients": [str(UUID(int=dice.getrandbits(128))) for _ in range(dice.randrange(3))],
        "fields": dice.sample(NAMES, dice.randrange(4)),
        "address": f"10.0.0.{dice.randrange(255)}",
        "changes": {"sex": ["x", dice.randrange(99)]} if dice.random() < 0.3 else None,
    }


def seal_all(*, most_rows: int = 20_000) -> Sealed:
    """Seal everything, once no other transaction on the server is older than the rows."""
    settle()
    return seal(most_rows=most_rows, now=timezone.now())


def settle() -> None:
    """Wait for the transactions of tests that run beside this one on the same server."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while ask(UNSETTLED):
        assert time.monotonic() < deadline, "another transaction does not end"
        time.sleep(0.05)


def ids() -> list[int]:
    """Return the ids of all rows in the order of sealing."""
    return [
        row
        for (row,) in ask("SELECT id FROM patients_auditentry ORDER BY written_on, written_in, id")
    ]


def ask(query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, list(values) or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def as_owner(*, keeping: bool = False) -> Iterator[None]:
    """What the owner of the tables could do: guards asleep, and taken back unless `keeping`."""
    with transaction.atomic():
        ask(GUARDS.format("DISABLE"))
        yield
        if keeping:
            ask(GUARDS.format("ENABLE"))
        else:
            transaction.set_rollback(True)


def empty() -> None:
    """Take away rows and seals that were committed, which the database refuses to all but this."""
    with as_owner(keeping=True):
        ask("TRUNCATE patients_auditentry, patients_auditseal")
