"""A backup of the rows that availability is computed from, put back under a cache that lives on."""

from __future__ import annotations

from django.db import connection, transaction

TABLES = (
    "providers_clinic",
    "providers_visittype",
    "providers_provider",
    "providers_providercalendar",
    "providers_providerschedule",
    "providers_providerschedule_visit_types",
    "providers_timeoff",
    "providers_clinicclosure",
    "scheduling_appointment",
    "scheduling_appointmentevent",
    "scheduling_managelink",
    "scheduling_slothold",
    "scheduling_opening",
    "reminders_delivery",
    "reminders_reminder",
    "reminders_notice",
    "reminders_callitem",
)


def copy_aside() -> None:
    """Keep the rows as they are now, stamps included, until this connection ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"DROP TABLE IF EXISTS pg_temp.aside_{table}")
            cursor.execute(f"CREATE TEMP TABLE aside_{table} AS TABLE {table}")


def put_back() -> None:
    """Make the rows what they were when they were copied, as a restore does: nothing is bumped."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for table in reversed(TABLES):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
        for table in TABLES:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM pg_temp.aside_{table}")  # noqa: S608
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
