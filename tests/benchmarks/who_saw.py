"""How soon "who saw this patient" and "what did this user see" are answered among ten million rows.

The rows are like those of a busy clinic: nine in ten name one patient, the tenth is a list of
twenty-five; one patient is on every thousandth row besides.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection

from config.progress import step
from patients.privacy.reports import Entries, part_of, what_was_done_by, who_saw
from tests.benchmarks.database import ask
from tests.benchmarks.figures import Figure, quantile

ROWS = int(os.environ.get("BENCH_AUDIT_ROWS", "10000000"))
PATIENTS, STAFF, LIST = 200_000, 50, 25
AT_ONCE = 500_000
ASKED = 300
TARGET_MS = 50.0
SUITED = ("audit_by_patient", "audit_by_actor", "audit_by_clinic", "audit_by_writing")
# Twelve digits of a number make the end of an id.
PERSON = "('00000000-0000-7000-8000-' || lpad(({})::text, 12, '0'))::uuid"
FILL = f"""
INSERT INTO patients_auditentry (action, object_pk, object_repr, changes_text, actor_id, role,
    clinic_id, page, purpose, outcome, request_id, browser, remote_addr, system_actor,
    patient_ids, field_names, timestamp, written_in, written_on)
SELECT 3, '', '', '', 1 + n %% {STAFF}, 'RECEPTIONIST', {PERSON.format(1)}, 'desk:patient',
    'scheduling', 'DONE', md5(n::text), '', '10.0.0.7', '',
    CASE WHEN n %% 10 = 0 THEN ARRAY(
            SELECT {PERSON.format(f"(n::bigint * 7919 + i * 104729) %% {PATIENTS}")}
            FROM generate_series(1, {LIST}) AS i)
        WHEN n %% 1000 = 1 THEN ARRAY[{PERSON.format(PATIENTS)}]
        ELSE ARRAY[{PERSON.format(f"(n::bigint * 7919) %% {PATIENTS}")}] END,
    ARRAY['given_name', 'family_name', 'dob', 'phone'],
    now() - (%(rows)s - n) * interval '3 seconds', pg_current_xact_id(), 7
FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""  # noqa: S608


def measure() -> Iterator[Figure]:
    """Yield the 95th percentile of each question, newest page and an older one, with its limit."""
    with step(f"Writing {ROWS:,} rows of the audit"):
        _load()
    rng = random.Random(7)
    people = [_person(rng.randrange(PATIENTS)) for _ in range(ASKED)]
    users = [User(pk=1 + rng.randrange(STAFF)) for _ in range(ASKED)]
    yield from _questions("audit_who_saw_10m", [who_saw([one]) for one in people])
    busiest = [who_saw([_person(PATIENTS)])] * 20
    yield from _questions("audit_who_saw_10m, on every thousandth row", busiest)
    yield from _questions("audit_what_seen_10m", [what_was_done_by(one) for one in users])
    size = ask("SELECT pg_total_relation_size('patients_auditentry')")
    yield Figure("audit size of a row with its indexes", size / ROWS, "bytes")


def _load() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE patients_auditentry DISABLE TRIGGER USER")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = ANY(%s)", [list(SUITED)])
        definitions = [definition for (definition,) in cursor.fetchall()]
        for name in SUITED:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute("SET synchronous_commit = off")
        for first in range(1, ROWS + 1, AT_ONCE):
            last = min(ROWS, first + AT_ONCE - 1)
            cursor.execute(FILL, {"rows": ROWS, "first": first, "last": last})
        cursor.execute("SET maintenance_work_mem = '1GB'")
        for definition in definitions:
            cursor.execute(definition)
        cursor.execute("ALTER TABLE patients_auditentry ENABLE TRIGGER USER")
        cursor.execute("VACUUM ANALYZE patients_auditentry")


def _person(number: int) -> UUID:
    return UUID(f"00000000-0000-7000-8000-{number:012d}")


def _questions(name: str, reports: list[Entries]) -> Iterator[Figure]:
    """Ask each report for its first page and the one after it."""
    newest, older, rows = [], [], 0
    for report in reports:
        found, seconds = _timed(lambda report=report: part_of(report, after=None))  # type: ignore[misc]
        newest.append(seconds)
        rows += len(found.entries)
        if found.next is not None:
            after = found.next
            _found, seconds = _timed(lambda r=report, a=after: part_of(r, after=a))  # type: ignore[misc]
            older.append(seconds)
    assert rows, name
    yield Figure(f"{name}, median", quantile(newest, 0.5) * 1_000, "ms", TARGET_MS)
    yield Figure(f"{name}, p95", quantile(newest, 0.95) * 1_000, "ms", TARGET_MS)
    if older:
        yield Figure(f"{name}, older page, p95", quantile(older, 0.95) * 1_000, "ms", TARGET_MS)


def _timed(act: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return act(), time.perf_counter() - began
