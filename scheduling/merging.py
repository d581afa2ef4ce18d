"""What of scheduling hangs on a patient's record when two are joined: visits, holds, waits.

Visits change hands here and not in `booking`: their time, their provider and their place stay as
they are, so no calendar is concerned and nobody's free time changes. The one rule that a change of
hands can break, that a patient is in one place at a time, the database holds and this module
explains. Each visit's version rises, so that whoever is about to change it looks again first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef

from patients.merging import Apart, Choices, merge, unmerge
from patients.models import Patient, PatientMerge
from patients.repointing import Repointing
from scheduling.models import Appointment, SlotHold, WaitlistEntry, WaitlistOffer
from scheduling.transactions import in_one_transaction, limit_waiting

Wait = WaitlistEntry.Status
OFFERED = WaitlistOffer.Status.OFFERED

OVERLAPS = """
SELECT mine.id, theirs.id
FROM scheduling_appointment AS mine JOIN scheduling_appointment AS theirs
    ON tstzrange(mine.scheduled_start, mine.scheduled_end)
        && tstzrange(theirs.scheduled_start, theirs.scheduled_end)
WHERE mine.patient_id = %s AND theirs.patient_id = %s
    AND mine.status <> 'CANCELLED' AND theirs.status <> 'CANCELLED'
ORDER BY mine.scheduled_start, mine.id
"""


class VisitsOverlap(Exception):
    """Both have a visit at the same time, so they cannot be one person before one is cancelled.

    `pairs` are the ids of such visits, the survivor's first.
    """

    def __init__(self, pairs: Sequence[tuple[UUID, UUID]]) -> None:
        super().__init__("visits overlap")
        self.pairs = pairs


def on_merge(way: Repointing) -> None:
    """Move visits, kept times and waitlist entries. Raises VisitsOverlap."""
    try:
        with transaction.atomic():
            way.move(Appointment.objects.all(), version=F("version") + 1)
    except IntegrityError as error:
        pairs = overlapping(way.target, way.source)
        if not pairs:
            raise
        raise VisitsOverlap(pairs) from error
    way.move(SlotHold.objects.all())
    way.move(WaitlistEntry.objects.all())
    if way.is_joining:
        _wait_once(way)


def _wait_once(way: Repointing) -> None:
    """Let the survivor wait once for what both waited for, in the earlier place.

    One with a live offer stays, so that the offer stands; where both have one, both do.
    """
    live = WaitlistEntry.objects.filter(patient=way.target, status__in=[Wait.WAITING, Wait.PAUSED])
    offered = Exists(WaitlistOffer.objects.filter(entry=OuterRef("pk"), status=OFFERED))
    entries = live.annotate(is_offered=offered).order_by("created_at", "pk")
    for same in _by_what_they_wait_for(entries.select_for_update(of=("self",), no_key=True)):
        kept = next((entry for entry in same if entry.is_offered), same[0])
        others = [entry for entry in same if entry is not kept and not entry.is_offered]
        if not others:
            continue
        urgent = any(entry.urgency == WaitlistEntry.Urgency.URGENT for entry in same)
        way.change(
            kept,
            created_at=same[0].created_at,
            urgency=(WaitlistEntry.Urgency.URGENT if urgent else kept.urgency),
            is_existing_patient=any(entry.is_existing_patient for entry in same),
        )
        for entry in others:
            way.change(entry, status=Wait.LEFT.value, ended_at=way.at)


def _by_what_they_wait_for(entries: Iterable[Any]) -> list[list[Any]]:
    """Return entries for the same visit and person, each group in the order of their places."""
    groups: dict[tuple[object, ...], list[Any]] = {}
    for entry in entries:
        key = (
            entry.clinic_id,
            entry.appointment_type_id,
            entry.provider_id,
            None if entry.provider_id else entry.specialty_id,
        )
        groups.setdefault(key, []).append(entry)
    return list(groups.values())


def overlapping(one: UUID, other: UUID) -> list[tuple[UUID, UUID]]:
    """Return pairs of visits, one of each patient's, that take place at the same time."""
    with connection.cursor() as cursor:
        cursor.execute(OVERLAPS, [one, other])
        pairs: list[tuple[UUID, UUID]] = cursor.fetchall()
    return pairs


@in_one_transaction
def join(
    *, keep: Patient, away: Patient, choices: Choices, by: User, now: datetime
) -> PatientMerge:
    """Join two records as `patients.merging.merge` does; Busy where others change them for long."""
    limit_waiting()
    return merge(keep=keep, away=away, choices=choices, by=by, now=now)


@in_one_transaction
def take_apart(*, merge: PatientMerge, by: User, now: datetime) -> Apart:
    """Take two records apart as `patients.merging.unmerge` does; Busy as above."""
    limit_waiting()
    return unmerge(merge=merge, by=by, now=now)
