"""Puts a task that was closed by mistake back on the list."""

from __future__ import annotations

from django.db import transaction

from emr.models import EMRTask


@transaction.atomic
def reopen(task: EMRTask) -> bool:
    """Open a closed task again; False where it is open, or the visit has such a task open."""
    held = EMRTask.objects.select_for_update(of=("self",)).get(pk=task.pk)
    if held.closed_at is None or _has_another(held):
        return False
    held.closed_at = held.closed_by = None
    held.save(update_fields=["closed_at", "closed_by"])
    return True


def _has_another(task: EMRTask) -> bool:
    """Whether the visit has the same to do once more: of those without a resource one is open."""
    if task.resource_id or task.appointment_id is None:
        return False
    return EMRTask.objects.filter(
        connection=task.connection_id,
        kind=task.kind,
        appointment=task.appointment_id,
        resource_id="",
        closed_at=None,
    ).exists()
