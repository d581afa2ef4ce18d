"""The race is real: looking before inserting, without the constraints, books twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

import pytest
from django.db import connection, transaction

from tests.races.crew import Crew
from tests.races.stage import MINUTE, Stage, won

pytestmark = pytest.mark.race
ROUNDS = 100

LOOK = """
SELECT EXISTS (SELECT FROM naive_appointment WHERE provider_id = %s AND status <> 'CANCELLED'
               AND scheduled_start < %s AND scheduled_end > %s)
"""
INSERT = """
INSERT INTO naive_appointment (id, provider_id, patient_id, scheduled_start, scheduled_end, status)
VALUES (gen_random_uuid(), %s, %s, %s, %s, 'SCHEDULED')
"""
TWICE = """
SELECT count(*) FROM (SELECT FROM naive_appointment GROUP BY provider_id, scheduled_start
                      HAVING count(*) > 1) AS slots
"""
COPY = """
CREATE TABLE naive_appointment AS
SELECT id, provider_id, patient_id, scheduled_start, scheduled_end, status
FROM scheduling_appointment WHERE false
"""


@pytest.fixture
def _naive_table(stage: Stage) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS naive_appointment")
        cursor.execute(COPY)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE naive_appointment")


def book_naively(stage: Stage, start: datetime, patient: int) -> bool:
    end = start + 10 * MINUTE
    provider = stage.provider.pk
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOOK, [provider, end, start])
        if cursor.fetchone() == (True,):
            return False
        cursor.execute(INSERT, [provider, stage.patients[patient].pk, start, end])
    return True


@pytest.mark.usefixtures("_naive_table")
def test_check_then_insert_books_one_slot_twice(stage: Stage) -> None:
    with Crew(8) as crew:
        for _ in range(ROUNDS):
            start = stage.fresh_hour()
            won(crew.race([partial(book_naively, stage, start, n) for n in range(8)]))
    with connection.cursor() as cursor:
        cursor.execute(TWICE)
        (twice,) = cursor.fetchone()
    assert twice
