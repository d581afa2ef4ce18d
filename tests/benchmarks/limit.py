"""How fast the same server takes one plain INSERT of an appointment row: the limit of booking."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import psycopg

CLIENTS, THREADS = 16, 2
VALUES = """gen_random_uuid(), 'PLAINROW', '{id}', '{id}', '{id}', '{id}',
    now() + {minute} * interval '10 min', now() + {minute} * interval '10 min' + interval '10 min',
    tstzrange(now() + {minute} * interval '10 min',
              now() + {minute} * interval '10 min' + interval '10 min'),
    0, 'SCHEDULED', '', 'DESK', 0, 0, now()"""
INSERT = f"""INSERT INTO plain_appointment (id, reference, patient_id, provider_id, clinic_id,
    appointment_type_id, scheduled_start, scheduled_end, busy, overbook_lane, status,
    reason_for_visit, booked_via, version, sequence, created_at)
VALUES ({VALUES})""".replace("{id}", "00000000-0000-7000-8000-000000000000")  # noqa: S608


def pgbench() -> str | None:
    """Return the newest pgbench of this machine, if there is one."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"))
    return shutil.which("pgbench") or (str(installed[-1]) if installed else None)


def inserts_per_second(url: str, seconds: float) -> float:
    """Return plain inserts a second by sixteen clients on two threads or processes."""
    program = pgbench()
    return _by_pgbench(program, url, seconds) if program else _by_psycopg(url, seconds)


def _by_pgbench(program: str, url: str, seconds: float) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("\\set minute random(0, 100000000)\n")
        script.write(" ".join(INSERT.format(minute=":minute").split()) + ";\n")
        script.flush()
        command = [program, "--no-vacuum", f"--client={CLIENTS}", f"--jobs={THREADS}"]
        command += [f"--time={round(seconds)}", f"--file={script.name}", url]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([\d.]+) \(without", answer.stdout, re.MULTILINE)
    if answer.returncode or not found:
        raise RuntimeError(f"pgbench failed: {answer.stderr.strip()}")
    return float(found[1])


def _by_psycopg(url: str, seconds: float) -> float:
    context = get_context("spawn")
    with ProcessPoolExecutor(CLIENTS, mp_context=context) as clients:
        return sum(clients.map(_insert_until, [url] * CLIENTS, [seconds] * CLIENTS))


def _insert_until(url: str, seconds: float) -> float:
    statement = INSERT.format(minute="%s::int")
    done = 0
    with psycopg.connect(url, autocommit=True) as connection:
        begun = time.perf_counter()
        while time.perf_counter() - begun < seconds:
            minute = int.from_bytes(os.urandom(3))
            connection.execute(statement, [minute] * 4)
            done += 1
    return done / seconds
