"""Which lane beside the ordinary one an overbooked visit takes; not whether it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from psycopg.types.range import Range

from scheduling.errors import SlotTaken
from scheduling.models import Appointment
from scheduling.placing import Placement

HIGHEST_LANE = 20


def in_free_lane(placement: Placement, *, own: Sequence[UUID] = ()) -> Placement:
    """Return the placement in the lowest lane from 1 on that is free there, `own` visits apart.

    Raises SlotTaken when all twenty are full. Another overbooking may still be faster.
    """
    busy = Range(placement.busy.start, placement.busy.end)
    beside = Appointment.objects.live().filter(provider=placement.provider, busy__overlap=busy)
    taken = set(beside.exclude(pk__in=own).values_list("overbook_lane", flat=True))
    for lane in range(1, HIGHEST_LANE + 1):
        if lane not in taken:
            return replace(placement, lane=lane)
    raise SlotTaken
