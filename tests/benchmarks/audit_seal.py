"""What sealing and verifying the audit cost beside bare reading and hashing; what a row costs."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from django.db import connection
from django.test import override_settings
from django.utils import timezone

from config.progress import step
from patients.chain import Place
from patients.privacy import audit_rows
from patients.privacy.audit_rows import BEFORE_ALL, END, Stretch
from patients.privacy.seal import seal
from patients.privacy.verify import verify
from tests.benchmarks.database import ask
from tests.benchmarks.figures import Figure

ROWS = int(os.environ.get("BENCH_SEAL_ROWS", "300000"))
TURNS = int(os.environ.get("BENCH_TURNS", "3"))
AT_ONCE = 10_000
# Rows like those of pages: a user, a clinic, a patient or two, some fields.
FILL = """
INSERT INTO patients_auditentry (action, object_pk, object_repr, changes_text, actor_id, role,
    clinic_id, page, purpose, outcome, request_id, browser, remote_addr, system_actor,
    patient_ids, field_names)
SELECT 3, gen_random_uuid()::text, '', '', 1 + n %% 40, 'RECEPTIONIST',
    '00000000-0000-7000-8000-000000000000', 'desk:patient', 'care', 'DONE',
    md5(n::text), '', '10.0.0.7', '', ARRAY[gen_random_uuid()],
    ARRAY['given_name', 'family_name', 'dob', 'phone']
FROM generate_series(1, %s) AS n
"""
# The same with what the trigger would have put in.
STAMPED = FILL.replace("(action", "(timestamp, written_in, written_on, action").replace(
    "SELECT 3", "SELECT clock_timestamp(), pg_current_xact_id(), 7, 3"
)


def measure() -> Iterator[Figure]:
    """Yield rows a second sealed, verified and inserted, each beside its limit of the same run."""
    with step(f"Writing {ROWS:,} rows of the audit"):
        for _ in range(ROWS // AT_ONCE):
            _run(FILL, AT_ONCE)
        _run("VACUUM ANALYZE patients_auditentry")
    bare, sealed, verified = [], [], []
    with tempfile.TemporaryDirectory() as folder, step("Sealing and verifying"):
        for turn in range(TURNS):
            with override_settings(AUDIT_ANCHOR=str(Path(folder) / str(turn))):
                _unseal()
                bare.append(_rate(_read_and_hash))
                sealed.append(_rate(_seal))
                verified.append(_rate(_verify))
    yield Figure("audit_seal", median(sealed), "rows/s", median(bare))
    yield Figure("audit_verify", median(verified), "rows/s", median(bare))
    yield from _inserts()


def _rate(act: Callable[[], int]) -> float:
    began = time.perf_counter()
    rows = act()
    assert rows == ask("SELECT count(*) FROM patients_auditentry"), rows
    return rows / (time.perf_counter() - began)


def _read_and_hash() -> int:
    """Read the same rows in the same order and hash each: nothing less could be sealed."""
    everything = Stretch(audit_rows.server().cluster, BEFORE_ALL, Place(END, END))
    rows = 0
    with audit_rows.reading():
        for line in audit_rows.lines(everything, audit_rows.columns()):
            hashlib.sha256(line).digest()
            rows += 1
    return rows


def _seal() -> int:
    return seal(now=timezone.now()).rows


def _verify() -> int:
    verdict = verify()
    assert verdict.intact, verdict
    return verdict.rows


def _inserts() -> Iterator[Figure]:
    """What stamping a row costs: the same inserts with the triggers and without, turn by turn."""
    guarded, free = [], []
    with step("Writing rows with and without the triggers"):
        for _turn in range(TURNS):
            guarded.append(AT_ONCE / _timed(lambda: _run(FILL, AT_ONCE)))
            _run("ALTER TABLE patients_auditentry DISABLE TRIGGER USER")
            free.append(AT_ONCE / _timed(lambda: _run(STAMPED, AT_ONCE)))
            _run("ALTER TABLE patients_auditentry ENABLE TRIGGER USER")
    yield Figure("audit_insert with triggers", median(guarded), "rows/s", median(free))


def _timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _unseal() -> None:
    """Forget all seals, as only the owner of the table can."""
    _run("ALTER TABLE patients_auditseal DISABLE TRIGGER USER")
    _run("TRUNCATE patients_auditseal")
    _run("ALTER TABLE patients_auditseal ENABLE TRIGGER USER")


def _run(statement: str, *values: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
