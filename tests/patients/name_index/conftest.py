"""Workers, each with indexes of its own, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from patients.models import Patient
from patients.name_index.shelf import Shelf
from patients.search_terms import parse
from providers.models import Clinic
from tests.factories import PatientFactory

Finds = Callable[[str], list[str]]
TODAY = date(2026, 6, 9)


def found(shelf: Shelf, clinic: Clinic, text: str) -> list[str]:
    """Return the ids of whom a worker finds, as text, the closest first."""
    with shelf.lent(clinic) as index:
        ranked = index.best(parse(text, today=TODAY), 20)
    return [row.id.hex() for _grade, row in ranked]


@pytest.fixture
def worker(clinic: Clinic) -> Finds:
    """Looks into the clinic's index of one worker: a text in, ids out."""
    shelf = Shelf()
    return lambda text: found(shelf, clinic, text)


@pytest.fixture
def ana(clinic: Clinic) -> Patient:
    return PatientFactory.create(
        clinic=clinic, name="Ana Torres", dob=date(1961, 4, 7), phone="+12125550134"
    )


@pytest.fixture
def bea(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Bea Lopez", dob=None, phone="")


@pytest.fixture
def elsewhere(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """A second connection, with a transaction of its own."""
    other = connection.copy()
    other.set_autocommit(False)
    yield other
    other.close()
