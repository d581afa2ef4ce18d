"""Closes a task that a person has done."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from emr.models import EMRTask


@transaction.atomic
def close(task: EMRTask, *, by: User, now: datetime) -> bool:
    """Close a task; False where it is closed already."""
    held = EMRTask.objects.select_for_update(of=("self",), no_key=True).get(pk=task.pk)
    if held.closed_at is not None:
        return False
    held.closed_at, held.closed_by = now, by
    held.save(update_fields=["closed_at", "closed_by"])
    return True
