"""What the worker does for scheduling. Arguments are ids only, and every task may run twice."""

from __future__ import annotations

from time import monotonic
from uuid import UUID

from django.utils import timezone
from django_q.tasks import async_task

from patients import codes, throttle
from patients.privacy.sign_in import sessions
from scheduling import block_store, holds
from scheduling.availability.warming import warm
from scheduling.models import IdempotencyKey, ManageLink
from scheduling.waitlist import entries, offering

# A task that runs for a minute is ended by the worker.
SECONDS_OF_WARMING = 30
SECONDS_OF_OFFERING = 30.0


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


def warm_availability(after: str = "") -> dict[str, int | str]:
    """Warm the availability of the next 30 days; what takes longer goes on in a task of its own.

    Returns what was done, `goes_on_after` with the last provider whose turn it was, and `ended`
    with the reason if it ended early: what is not warmed is worked out for whoever asks first.
    """
    ends_at = monotonic() + SECONDS_OF_WARMING
    done: dict[str, int | str] = {"providers": 0, "filled": 0, "renewed": 0}
    for some in warm(now=timezone.now(), after=UUID(after) if after else None):
        done |= {name: int(done[name]) + getattr(some, name) for name in done}
        if monotonic() >= ends_at:
            async_task("scheduling.tasks.warm_availability", str(some.last))
            return done | {"goes_on_after": str(some.last)}
    return done if block_store.is_on() else done | {"ended": "no Redis, or none that answers"}


def offer() -> dict[str, int]:
    """Offer freed time to those who wait, and let entries end whose days are over.

    Called each minute, and by whatever freed time once it has committed. What takes longer goes on
    in a task of its own. Returns what was done.
    """
    now = timezone.now()
    ended = entries.expire(now=now)
    done = offering.advance_due(now=now, seconds=SECONDS_OF_OFFERING)
    if done["left"]:
        async_task("scheduling.tasks.offer")
    return done | {"ended": ended}
