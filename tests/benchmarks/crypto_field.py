"""What sealing costs: one value through the field beside AES alone, and a thousand patients read
from sealed columns beside the same in plain ones."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection, models

from config.progress import step
from patients.models import Patient
from patients.rotation import sealed_columns
from providers.fields import new_id
from tests.benchmarks.figures import Figure
from tests.factories import ClinicFactory

TURNS = int(os.environ.get("BENCH_TURNS", "3"))
VALUES = 50_000
PEOPLE = 1_000
NAME = "Bartholomew"
COLUMNS = [column.name for column in sealed_columns(Patient)]


def measure() -> Iterator[Figure]:
    """Yield the cost of one value, and then that of many rows."""
    yield from _one_value()
    with step(f"Registering {PEOPLE:,} patients"):
        _register()
    yield from _many_rows()


def _one_value() -> Iterator[Figure]:
    field: Any = Patient._meta.get_field("given_name")
    row, aes = new_id(), AESGCM(os.urandom(32))
    sealed, nonce = field.seal(row, NAME), os.urandom(12)
    block = aes.encrypt(nonce, NAME.encode().ljust(32), row.bytes)
    cases: list[tuple[str, Callable[[], object], Callable[[], object]]] = [
        (
            "crypto_field seal",
            lambda: field.seal(row, NAME),
            lambda: aes.encrypt(os.urandom(12), NAME.encode().ljust(32), row.bytes),
        ),
        (
            "crypto_field open",
            lambda: field.open(row, sealed),
            lambda: aes.decrypt(nonce, block, row.bytes),
        ),
    ]
    for name, ours, bare in cases:
        with step(f"Timing {name}"):
            value, limit = _beside(ours, bare, times=VALUES)
        yield Figure(name, value * 1e6, "µs", limit * 1e6)


def _beside(
    ours: Callable[[], object], other: Callable[[], object], *, times: int
) -> tuple[float, float]:
    """Return the processor's seconds of one call of each, measured turn by turn."""
    pairs = [(_seconds(ours, times), _seconds(other, times)) for _turn in range(TURNS)]
    return median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)


def _seconds(act: Callable[[], object], times: int) -> float:
    begun = time.process_time()
    for _time in range(times):
        act()
    return (time.process_time() - begun) / times


class PlainPatient(models.Model):
    """The same columns, in clear."""

    id = models.UUIDField(primary_key=True)
    given_name = models.TextField()
    family_name = models.TextField()
    name_suffix = models.TextField()
    dob = models.DateField()
    phone = models.TextField()
    email = models.TextField()
    address_line = models.TextField()
    city = models.TextField()
    state = models.TextField()
    postal_code = models.TextField()
    insurance_member_id = models.TextField()

    class Meta:
        managed = False
        app_label = "patients"
        db_table = "plain_patient"

    def __str__(self) -> str:
        return str(self.pk)


def _register() -> None:
    clinic = ClinicFactory.create()
    told = [_told(number) for number in range(PEOPLE)]
    Patient.objects.bulk_create(Patient(clinic=clinic, **values) for values in told)
    with connection.schema_editor() as editor:
        editor.create_model(PlainPatient)
    PlainPatient._default_manager.bulk_create(
        PlainPatient(id=new_id(), **values) for values in told
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE patients_patient")
        cursor.execute("VACUUM ANALYZE plain_patient")


def _told(number: int) -> dict[str, Any]:
    return {
        "given_name": f"{NAME} {number}",
        "family_name": f"Featherstonehaugh {number}",
        "name_suffix": "",
        "dob": date(1950 + number % 60, 1, 1),
        "phone": f"+1212555{number:04d}",
        "email": f"patient{number}@mail.example",
        "address_line": f"{number} Larkspur Lane",
        "city": "Fairhaven",
        "state": "Massachusetts",
        "postal_code": "02719",
        "insurance_member_id": f"XQZ-{number:06d}",
    }


def _many_rows() -> Iterator[Figure]:
    """Load all, without reading and then reading every value; in milliseconds."""
    cases: list[tuple[str, tuple[str, ...]]] = [
        ("loaded", ()),
        ("and a name read", ("given_name",)),
        ("and all read", tuple(COLUMNS)),
    ]
    for words, names in cases:
        name = f"crypto_field {PEOPLE:,} patients {words}"
        with step(f"Timing {name}"):
            ours, plain = _beside(
                partial(_load, Patient, names), partial(_load, PlainPatient, names), times=10
            )
        yield Figure(name, ours * 1_000, "ms", plain * 1_000)


def _load(model: Any, names: tuple[str, ...]) -> int:
    """Return how many rows with a name there were; the same columns are asked of both tables."""
    rows = list(model._default_manager.only("id", *COLUMNS))
    assert len(rows) == PEOPLE
    return sum(bool(getattr(row, name)) for row in rows for name in names)
