"""Whose patient somebody becomes by a visit. Told of changes; asks nothing of scheduling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection

from providers.fields import new_id

EXTEND = """
INSERT INTO patients_carerelationship AS known (id, patient_id, provider_id, kind, since, until)
SELECT * FROM unnest(%(ids)s::uuid[], %(patients)s::uuid[], %(providers)s::uuid[]) AS w,
    (VALUES ('VISIT', %(now)s::timestamptz)) AS v(kind, since),
    LATERAL (SELECT %(last)s::timestamptz + make_interval(months => %(months)s::int)) AS u(until)
ON CONFLICT (patient_id, provider_id, kind) DO UPDATE
    SET until = greatest(known.until, excluded.until)
"""


class Visit(Protocol):
    patient_id: UUID
    provider_id: UUID
    scheduled_end: datetime


class Change(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def appointment(self) -> Visit: ...
    @property
    def at(self) -> datetime: ...


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Make or prolong the VISIT relationship of every visit that was moved.

    That of a new visit is written by the booking's own statement.
    """
    moved = [change for change in changes if change.kind == "MOVE"]
    if moved:
        relate([change.appointment for change in moved], since=moved[0].at)


def relate(visits: Sequence[Visit], *, since: datetime) -> None:
    """Make or prolong the VISIT relationships of these visits' patients and providers.

    They end CARE_RELATIONSHIP_MONTHS after the last visit's end.
    """
    pairs = {(visit.patient_id, visit.provider_id) for visit in visits}
    with connection.cursor() as cursor:
        cursor.execute(
            EXTEND,
            {
                "ids": [new_id() for _ in pairs],
                "patients": [patient for patient, _ in pairs],
                "providers": [provider for _, provider in pairs],
                "now": since,
                "last": max(visit.scheduled_end for visit in visits),
                "months": settings.CARE_RELATIONSHIP_MONTHS,
            },
        )
