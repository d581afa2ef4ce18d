"""What runs by itself, how often, and why. The database's list is made from this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Job:
    """`task` is called every so many `minutes`; `reason` says what would go wrong without it.

    One that comes once a day may say `at` which time, UTC.
    """

    name: str
    task: str
    minutes: int
    reason: str
    at: time | None = None


JOBS = [
    Job(
        "sweep",
        "scheduling.tasks.sweep",
        5,
        "Holds, codes, links and request keys end by themselves; their rows would pile up.",
    ),
    Job(
        "seal audit",
        "patients.tasks.seal_audit",
        1,
        "Until a row of the audit is sealed, nobody could tell that it was changed or removed.",
    ),
    Job(
        "verify audit",
        "patients.tasks.verify_daily",
        24 * 60,
        "Damage to the audit should be known within a day, not when somebody asks for it.",
        at=time(6),  # at night; a new server has sealed nothing that could be verified yet
    ),
    Job(
        "warm availability",
        "scheduling.tasks.warm_availability",
        24 * 60,
        "Whoever asks first in the morning would wait until free time is worked out anew.",
        at=time(8),  # the small hours from New York to Los Angeles
    ),
    Job(
        "send reminders",
        "reminders.tasks.remind",
        1,
        "Nothing else looks for reminders that are due; what is told at once does not wait for it.",
    ),
    Job(
        "offer freed time",
        "scheduling.tasks.offer",
        1,
        "Time is passed on while it is kept for the next patient, and a lost trigger made up for.",
    ),
    Job(
        "look after the ledger",
        "reminders.tasks.sweep",
        1,
        "A message whose worker died would wait for ever, or be sent by nobody knows whom.",
    ),
    Job(
        "free unconfirmed visits",
        "reminders.tasks.release",
        15,
        "Time that silence gives back is of use to others only while it is to come.",
    ),
    Job(
        "tell record systems",
        "emr.tasks.push",
        1,
        "What could not be told at once, or a lost trigger, would leave the clinic's EMR behind.",
    ),
    Job(
        "take in what record systems tell",
        "emr.tasks.take_in",
        1,
        "What could not be taken when it came, or whose worker died, would wait for ever.",
    ),
    Job(
        "ask record systems for changes",
        "emr.tasks.poll",
        1,
        "Systems that tell nothing themselves would change visits that nobody here hears of.",
    ),
    Job(
        "ask what record systems offer",
        "emr.tasks.discover",
        24 * 60,
        "A record system that takes something away, or moves, would be noticed by what fails.",
        at=time(7),  # before the clinics open
    ),
    Job(
        "forget old reports",
        "reminders.tasks.tidy",
        24 * 60,
        "Ids of vendors' reports are kept against replays, and would pile up.",
    ),
]


@transaction.atomic
def apply() -> None:
    """Make the scheduled jobs in the database those of JOBS.

    The next run of any stays where it is, unless it is at another time of day than its `at`.
    """
    Schedule.objects.exclude(name__in=[job.name for job in JOBS]).delete()
    for job in JOBS:
        schedule, _new = Schedule.objects.update_or_create(
            name=job.name,
            defaults={
                "func": job.task,
                "schedule_type": Schedule.MINUTES,
                "minutes": job.minutes,
                "repeats": -1,
            },
        )
        if job.at is not None and schedule.next_run.astimezone(UTC).time() != job.at:
            schedule.next_run = _next(job.at)
            schedule.save(update_fields=["next_run"])


def _next(at: time) -> datetime:
    now = timezone.now()
    today = datetime.combine(now.astimezone(UTC).date(), at, UTC)
    return today if today > now else today + timedelta(days=1)
