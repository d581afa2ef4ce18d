"""Whether background jobs may send and change anything here, or wait for a person's word.

A restored or cloned database still holds messages that went out long ago and jobs that were done:
it is known by its server and object id, which no copy shares. Knows no queue and no message.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from patients.models import OutboxHome

HERE = """
SELECT system_identifier, oid::bigint
FROM pg_control_system(), pg_database WHERE datname = current_database()
"""
HELD = f"""
SELECT NOT EXISTS (
    SELECT FROM patients_outboxhome home JOIN ({HERE}) here
    ON home.cluster = here.system_identifier AND home.database = here.oid
    WHERE home.held_since IS NULL)
"""  # noqa: S608 - two constants


def are_held() -> bool:
    """Say whether nothing may leave here: this is a copy, or somebody holds them."""
    with connection.cursor() as cursor:
        cursor.execute(HELD)
        return bool(cursor.fetchone()[0])


def settle(*, now: datetime) -> None:
    """Make a new database its own home. One that has a home, though another, is left as it is."""
    cluster, database = _here()
    values = {"cluster": cluster, "database": database, "released_at": now}
    OutboxHome.objects.get_or_create(id=1, defaults=values)


def hold(*, now: datetime) -> None:
    """Let no job start from now on; those that run come to their end."""
    OutboxHome.objects.filter(id=1).update(held_since=now)


def release(*, now: datetime) -> None:
    """Declare this database the clinic's own, so that its jobs start again."""
    cluster, database = _here()
    values = {"cluster": cluster, "database": database, "held_since": None, "released_at": now}
    OutboxHome.objects.update_or_create(id=1, defaults=values)


def _here() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(HERE)
        cluster, database = cursor.fetchone()
    return cluster, database
