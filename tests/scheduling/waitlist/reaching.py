"""Settings.OFFER_REACH for tests that are not about messages: everybody can be told at any hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from patients.models import Patient
from scheduling.quiet import Quiet
from scheduling.waitlist.contact import Reach
from scheduling.waitlist.pacing import Contact

ANY_TIME = Contact(ZoneInfo("UTC"), Quiet(time(0), time(0)))


def anybody(patients: Sequence[Patient], *, now: datetime) -> dict[UUID, Reach]:
    return {patient.pk: Reach(ANY_TIME) for patient in patients}
