"""How long the look for what is due takes among the reminders of a million visits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from statistics import median

from django.db import connection, transaction
from django.utils import timezone

from config.progress import step
from reminders import gathering
from tests.benchmarks import rows, stage
from tests.benchmarks.database import ask
from tests.benchmarks.figures import Figure, quantile

MANY = int(os.environ.get("BENCH_ROWS", "1000000"))
TURNS = 200
TARGET_MS = 2.0
DUE = 20
# Of each visit one reminder: most are done, every tenth is to come, and a few are due.
FILL = """
INSERT INTO reminders_reminder (id, appointment_id, sequence, kind, channel, due_at, not_after,
    standing, why)
SELECT gen_random_uuid(), visit.id, 0, 'REMINDER', 'EMAIL', due.at, due.at + '8 hours',
    CASE WHEN visit.n %% 10 = 0 THEN 'PLANNED' ELSE 'SKIPPED' END,
    CASE WHEN visit.n %% 10 = 0 THEN '' ELSE 'ARRIVED' END
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM scheduling_appointment) AS visit
CROSS JOIN LATERAL (SELECT now() + CASE WHEN visit.n %% 10 > 0 THEN '-30 days'::interval
    WHEN visit.n <= 10 * %(due)s THEN '-1 minute'::interval
    ELSE '1 hour'::interval + visit.n * '1 second'::interval END AS at) AS due
"""


def measure() -> Iterator[Figure]:
    """Yield the milliseconds of one look, beside a statement that reads nothing at all."""
    with step(f"Loading {MANY:,} visits with a reminder each"):
        stage.set_up()
        rows.make_plain_table()
        rows.load_history(MANY)
        with connection.cursor() as cursor:
            cursor.execute(FILL, {"due": DUE})
            cursor.execute("VACUUM ANALYZE reminders_reminder")
    assert ask("SELECT count(*) FROM reminders_reminder") == MANY
    looks, bare = [], []
    with step("Looking for what is due"):
        for _turn in range(TURNS):
            looks.append(_look())
            began = time.perf_counter()
            ask("SELECT 1")
            bare.append(time.perf_counter() - began)
    yield Figure("due_scan_1m", median(looks) * 1_000, "ms", TARGET_MS)
    yield Figure("due_scan_1m, p95", quantile(looks, 0.95) * 1_000, "ms", TARGET_MS)
    yield Figure("due_scan_1m, SELECT 1", median(bare) * 1_000, "ms")


def _look() -> float:
    """Look as the worker does, and leave everything as it was."""
    with transaction.atomic():
        began = time.perf_counter()
        found = gathering.due_reminders(now=timezone.now(), limit=500)
        took = time.perf_counter() - began
        transaction.set_rollback(True)
    assert len(found) == DUE, len(found)
    return took
