"""What the worker does for messages. Arguments are none, and every task may run twice."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from django.utils import timezone
from django_q.tasks import async_task

from reminders import dispatch as dispatching
from reminders import gathering, ledger, passing_on, releasing
from reminders.models import VendorReport

# The rest of a task's minute is for sending.
SECONDS_OF_GATHERING = 12.0
# A vendor repeats a report for days at most; one that comes after that changes nothing either way.
REPORTS_KEPT = timedelta(days=30)


def dispatch() -> dict[str, int]:
    """Send the notices that are due: called by whatever wrote one, when it has committed."""
    gathering.gather_notices(now=timezone.now())
    return _send()


def remind() -> dict[str, int]:
    """Send everything that is due. A visit whose time is to be freed is freed first, and gets no
    reminder; should that fail, reminders go all the same, and the failure is told."""
    now = timezone.now()
    try:
        if gathering.are_unconfirmed_due(now=now):
            releasing.release_unconfirmed(now)
    finally:
        ends_at = monotonic() + SECONDS_OF_GATHERING
        gathering.gather(now=now, seconds=SECONDS_OF_GATHERING)
        if monotonic() >= ends_at:
            async_task("reminders.tasks.remind")
        done = _send()
    return done


def sweep() -> dict[str, int]:
    """Free what dead workers held, and find out what nobody knows."""
    return ledger.sweep(now=timezone.now())


def release() -> dict[str, int]:
    """Free the time of visits that nobody confirmed."""
    done = releasing.release_unconfirmed(timezone.now())
    return {"released": done.released, "called": done.called, "changed": done.changed}


def tidy() -> dict[str, int]:
    """Forget which reports were taken, once none of them could come again."""
    old = VendorReport.objects.filter(received_at__lt=timezone.now() - REPORTS_KEPT)
    return {"reports": old.delete()[0]}


def _send() -> dict[str, int]:
    """Send what is queued; what takes longer than a task may goes on in one of its own.

    What was offered to whom no message can reach is passed on then.
    """
    done = dispatching.dispatch()
    passing_on.pass_on(now=timezone.now())
    if done.is_unfinished:
        async_task("reminders.tasks.dispatch")
    return done.as_dict()
