"""A real worker on a restored database: it waits, says how it is released, and then works."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from config.backup import restoring
from config.backup.manifest import Manifest
from config.backup.programs import Target
from tests.config.backup.conftest import KEYS, silent
from tests.config.processes import wait_until

UNREADABLE_JOB = "INSERT INTO django_q_ormq (key, payload, lock) VALUES ('daysheet', 'x', now())"


def environment(place: Target) -> dict[str, str]:
    given = place.parameters
    url = f"postgresql://{given['user']}@/{given['dbname']}?host={given['host']}"
    return os.environ | {"DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}


@contextmanager
def worker(place: Target, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=settings.BASE_DIR,
            env=environment(place),
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def jobs(place: Target) -> int:
    with place.connect() as link:
        row = link.execute("SELECT count(*) FROM django_q_ormq").fetchone()
    return int(row[0]) if row else -1


def test_it_takes_no_job_before_a_person_releases_them(
    backup: tuple[Path, Manifest], empty: Target, tmp_path: Path
) -> None:
    with backup[0].open("rb") as sealed:
        restoring.restore(sealed, target=empty, keys=KEYS, progress=silent)
    with empty.connect() as link:
        link.execute(UNREADABLE_JOB)
    log = tmp_path / "log"
    with worker(empty, log):
        assert wait_until(lambda: "manage.py release_outboxes" in log.read_text(), 60)
        assert jobs(empty) == 1
        release = [sys.executable, "manage.py", "release_outboxes"]
        subprocess.run(release, cwd=settings.BASE_DIR, env=environment(empty), check=True)
        assert wait_until(lambda: jobs(empty) == 0, 60)
