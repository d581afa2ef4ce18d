"""What runs by itself, how often, and why. The database's list is made from this one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django_q.models import Schedule


@dataclass(frozen=True, slots=True)
class Job:
    """`task` is called every so many `minutes`; `reason` says what would go wrong without it."""

    name: str
    task: str
    minutes: int
    reason: str


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
    ),
]


@transaction.atomic
def apply() -> None:
    """Make the scheduled jobs in the database those of JOBS, without moving the next run of any."""
    Schedule.objects.exclude(name__in=[job.name for job in JOBS]).delete()
    for job in JOBS:
        Schedule.objects.update_or_create(
            name=job.name,
            defaults={
                "func": job.task,
                "schedule_type": Schedule.MINUTES,
                "minutes": job.minutes,
                "repeats": -1,
            },
        )
