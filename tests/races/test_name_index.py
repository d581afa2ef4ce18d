"""Searches while names change: whoever has committed a change finds it, at every worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

import pytest
from django.db import connection, transaction

from patients.models import Patient
from patients.name_index.reading import read_all
from patients.name_index.shelf import Shelf
from patients.search_terms import Reading
from providers.models import Clinic
from tests.factories import ClinicFactory, PatientFactory
from tests.races.crew import Crew

WRITERS, WORKERS, ROUNDS, OWN = 6, 3, 12, 3

pytestmark = pytest.mark.django_db(transaction=True)


def is_found(shelf: Shelf, clinic: Clinic, name: str, patient: Patient) -> bool:
    with shelf.lent(clinic) as index:
        return patient.pk.bytes in {row.id for _, row in index.best([Reading(words=(name,))], 99)}


def sleep(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def write(shelves: list[Shelf], clinic: Clinic, mine: list[Patient], seed: int) -> list[str]:
    """Rename one's own patients in transactions of any length; return what a worker missed."""
    dice = Random(seed)
    missed = []
    for turn in range(ROUNDS):
        patient = dice.choice(mine)
        name, is_kept = f"name{seed}x{turn}", dice.random() < 0.7
        with transaction.atomic():
            patient.given_name = name
            patient.save(update_fields=["given_name"])
            if dice.random() < 0.5:
                is_found(dice.choice(shelves), clinic, name, patient)
            sleep(dice.random() / 100)
            transaction.set_rollback(not is_kept)
        missed += [
            f"{name} by {number}"
            for number, shelf in enumerate(shelves)
            if is_found(shelf, clinic, name, patient) != is_kept
        ]
    return missed


def test_no_committed_change_is_missed_and_none_taken_back_is_found() -> None:
    clinic = ClinicFactory.create()
    shelves = [Shelf() for _ in range(WORKERS)]
    casts = [PatientFactory.create_batch(OWN, clinic=clinic) for _ in range(WRITERS)]
    jobs: list[Callable[[], object]] = [
        partial(write, shelves, clinic, mine, seed) for seed, mine in enumerate(casts)
    ]
    with Crew(WRITERS) as crew:
        assert crew.race(jobs) == [[]] * WRITERS
    rows, _mark = read_all(clinic)
    for shelf in shelves:
        with shelf.lent(clinic) as index:
            assert sorted(index.rows()) == sorted(rows)
