"""Writes the blind indexes of all patients again, under the key that is to be the only one.

An index does not say which key it has, so that every record is read; each is locked while it is
compared, and one that somebody else is writing is passed over and met again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from patients.indexes import SOURCES, index_of
from patients.looks import Look, looking
from patients.models import Patient
from patients.rotation import BATCH, IDLE_ROUNDS, PAUSE_SECONDS, Unfinished


def reindex_all(*, advance: Callable[[int], None]) -> int:
    """Bring every patient's indexes up to date; return how many records were written.

    Raises Unfinished where a record stayed locked for ten seconds, SealBroken where one cannot be
    opened.
    """
    written, waiting = 0, list(Patient.objects.order_by("pk").values_list("pk", flat=True))
    for _round in range(IDLE_ROUNDS):
        missed: list[UUID] = []
        for first in range(0, len(waiting), BATCH):
            ids = waiting[first : first + BATCH]
            changed, seen = _reindex(ids)
            written += changed
            missed += [pk for pk in ids if pk not in seen]
            advance(len(seen))
        known = set(Patient.objects.filter(pk__in=missed).values_list("pk", flat=True))
        waiting = [pk for pk in missed if pk in known]
        if not waiting:
            return written
        time.sleep(PAUSE_SECONDS)
    raise Unfinished(f"the indexes of {len(waiting)} patients: their rows stayed locked")


@transaction.atomic
def _reindex(ids: list[UUID]) -> tuple[int, set[UUID]]:
    """Return how many of these were written, and which were read."""
    rows = Patient.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=ids)
    changed, seen = 0, set()
    with looking(Look()):  # nobody is shown: the record of the whole job names no patient
        for patient in rows:
            seen.add(patient.pk)
            right = {name: index_of(name, _values(patient, name)) for name in SOURCES}
            if any(bytes(getattr(patient, name)) != digest for name, digest in right.items()):
                Patient.objects.filter(pk=patient.pk).update(**right)
                changed += 1
    return changed, seen


def _values(patient: Patient, index: str) -> list[Any]:
    return [getattr(patient, name) for name in SOURCES[index]]
