"""What the worker does for scheduling. Arguments are ids only, and every task may run twice."""

from __future__ import annotations

from django.utils import timezone

from patients import codes, throttle
from patients.privacy.sign_in import sessions
from scheduling import holds
from scheduling.models import IdempotencyKey, ManageLink


def sweep() -> dict[str, int]:
    """Remove what has ended, and return how many rows of each kind it was."""
    now = timezone.now()
    return {
        "holds": holds.sweep_expired(),
        "keys": IdempotencyKey.objects.filter(expires_at__lt=now).delete()[0],
        "links": ManageLink.objects.filter(expires_at__lt=now).delete()[0],
        "codes": codes.sweep(now),
        "tries": throttle.sweep(now),
        "sign_ins": sessions.sweep(),
    }
