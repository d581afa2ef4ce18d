"""Chooses how a clinic offers the time that comes free; types with a row of their own keep it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from providers.models import Clinic
from scheduling.models import Mode, Opening, WaitlistPolicy
from scheduling.openings import nudge


def mode_of(clinic: Clinic) -> Mode:
    """Return how a clinic offers visits of any type, unless the type has a row of its own."""
    row = WaitlistPolicy.objects.filter(clinic=clinic, visit_type=None).first()
    return Mode(row.mode) if row is not None else Mode.SEQUENTIAL


@transaction.atomic
def choose(*, clinic: Clinic, mode: Mode, now: datetime) -> WaitlistPolicy:
    """Write the clinic's own row; what is open by now is looked at again under the new rule.

    Lengths and bounds stay as they were. Offers that stand are not taken back.
    """
    row, _new = WaitlistPolicy.objects.update_or_create(
        clinic=clinic, visit_type=None, defaults={"mode": mode}
    )
    # What waits for the end of an undo stays where it is.
    asleep = Opening.objects.filter(clinic=clinic, state=Opening.State.OPEN, next_at__gt=now)
    if asleep.filter(not_before=None).update(next_at=now):
        nudge()
    return row
