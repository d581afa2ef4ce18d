"""Years of history, loaded by the server itself, the same in our table and in a plain one.

The plain table has the columns and the primary key, and nothing that forbids anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLE = "scheduling_appointment"
PLAIN = """
CREATE TABLE plain_appointment (LIKE scheduling_appointment INCLUDING DEFAULTS);
ALTER TABLE plain_appointment ADD PRIMARY KEY (id);
"""
KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'scheduling_appointment'::regclass AND contype = 'f'
"""
HISTORY = """
INSERT INTO scheduling_appointment (id, reference, patient_id, provider_id, clinic_id,
    appointment_type_id, scheduled_start, scheduled_end, busy, overbook_lane, status,
    reason_for_visit, booked_via, version, sequence, created_at)
SELECT gen_random_uuid(), lpad(to_hex(n), 8, '0'), person.id, provider.id,
    provider.clinic_id, kind.id, visit.start, visit.start + '10 min',
    tstzrange(visit.start, visit.start + '10 min'), 0, 'COMPLETED', '', 'DESK', 0, 0, visit.start
FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
CROSS JOIN (SELECT count(*) AS c FROM providers_provider) AS staff
CROSS JOIN (SELECT count(*) AS c FROM patients_patient) AS people
JOIN (SELECT id, clinic_id, row_number() OVER (ORDER BY id) - 1 AS place
      FROM providers_provider) AS provider ON provider.place = n %% staff.c
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place
      FROM patients_patient) AS person ON person.place = n %% people.c
CROSS JOIN providers_visittype AS kind
CROSS JOIN LATERAL (SELECT date_trunc('day', now()) - '2 days'::interval
                           - (n / staff.c) * '10 min'::interval AS start) AS visit
"""
COPY = "INSERT INTO plain_appointment SELECT * FROM scheduling_appointment"
BATCH = 250_000


def make_plain_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(PLAIN)


def load_history(rows: int) -> None:
    """Add so many past visits, the same to both tables, without asking what is known to hold."""
    with connection.cursor() as cursor, unguarded():
        cursor.execute("SET synchronous_commit = off")
        for first in range(1, rows + 1, BATCH):
            cursor.execute(HISTORY, {"first": first, "last": min(rows, first + BATCH - 1)})
        cursor.execute(COPY)
    with connection.cursor() as cursor:
        cursor.execute("RESET synchronous_commit")
        cursor.execute(f"VACUUM ANALYZE {TABLE}")
        cursor.execute("VACUUM ANALYZE plain_appointment")


@contextmanager
def unguarded() -> Iterator[None]:
    """Leave out triggers and foreign keys for the length of the block, as any owner may."""
    with connection.cursor() as cursor:
        cursor.execute(KEYS)
        keys = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {TABLE} DISABLE TRIGGER USER")
        for name, _definition in keys:
            cursor.execute(f"ALTER TABLE {TABLE} DROP CONSTRAINT {name}")
        yield
        for name, definition in keys:
            cursor.execute(f"ALTER TABLE {TABLE} ADD CONSTRAINT {name} {definition}")
        cursor.execute(f"ALTER TABLE {TABLE} ENABLE TRIGGER USER")
