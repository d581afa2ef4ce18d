"""Writes the blind indexes of recent deliveries again, under the key that is to be the only one.

A delivery holds no address: its index is known again by what its patient has on file. One that
went to an address which is no longer there keeps its old index, and is found no more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from patients.indexes import contact_index, contact_indexes
from patients.looks import Look, looking
from patients.models import Patient
from patients.rotation import BATCH
from reminders.models import Delivery
from reminders.suppressions import COLUMNS

# Longer than anything asks for: texts are counted over a week, and answered within days.
RECENT = timedelta(days=14)


def reindex(advance: Callable[[int], None]) -> int:
    """Bring the deliveries of the last two weeks up to date; return how many were written.

    Raises SealBroken where a patient's contact cannot be opened.
    """
    since = timezone.now() - RECENT
    recent = Delivery.objects.filter(created_at__gte=since).exclude(patient=None)
    people = list(recent.order_by("patient").values_list("patient", flat=True).distinct())
    changed = 0
    for first in range(0, len(people), BATCH):
        ids = people[first : first + BATCH]
        changed += _reindex(ids)
        advance(len(ids))
    return changed


@transaction.atomic
def _reindex(ids: list[UUID]) -> int:
    changed = 0
    with looking(Look()):  # nobody is shown: the record of the whole job names no patient
        for patient in Patient.objects.filter(pk__in=ids):
            for channel, column in COLUMNS.items():
                value = getattr(patient, column)
                new = contact_index(column, value)
                former = [old for old in contact_indexes(column, value) if old != new]
                changed += Delivery.objects.filter(
                    patient=patient, channel=channel.value, recipient_index__in=former
                ).update(recipient_index=new)
    return changed
