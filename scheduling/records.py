"""Writes appointments with their first event, in one statement, then changes and further events.

No statement here can overbook: the database leaves a row out, or refuses a change, that overlaps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from psycopg.types.range import Range

from patients.models import Patient
from providers.fields import new_id
from scheduling.actors import Actor
from scheduling.errors import PatientBusy, SchedulingError, SlotTaken, Stale
from scheduling.models import Appointment, AppointmentEvent
from scheduling.placing import Placement
from scheduling.transactions import lock_timeout
from scheduling.transitions import Status

INSERT = """
WITH patience AS (SELECT set_config('lock_timeout', %(patience)s, true)),
wanted AS (
    SELECT * FROM unnest(
        %(ids)s::uuid[], %(references)s::text[], %(events)s::uuid[],
        %(starts)s::timestamptz[], %(ends)s::timestamptz[],
        %(busy_starts)s::timestamptz[], %(busy_ends)s::timestamptz[]
    ) AS w(id, reference, event, starts, ends, busy_start, busy_end)
), booked AS (
    INSERT INTO scheduling_appointment (
        id, reference, patient_id, provider_id, clinic_id, appointment_type_id,
        scheduled_start, scheduled_end, busy, overbook_lane, status,
        reason_for_visit, booked_via, series, version, sequence, created_at)
    SELECT id, reference, %(patient)s::uuid, %(provider)s::uuid, %(clinic)s::uuid, %(type)s::uuid,
        starts, ends, tstzrange(busy_start, busy_end), %(lane)s::smallint, 'SCHEDULED',
        %(reason)s::text, %(via)s::text, %(series)s::uuid, 0, 0, %(now)s::timestamptz
    FROM wanted, patience ORDER BY starts
    ON CONFLICT DO NOTHING RETURNING id
)
INSERT INTO scheduling_appointmentevent (
    id, appointment_id, kind, from_status, to_status, by_kind, by_user_id, by_name, at, details)
SELECT wanted.event, booked.id, 'BOOK', '', 'SCHEDULED', %(by_kind)s::text, %(by_user)s::int,
    %(by_name)s::text, %(now)s::timestamptz, %(details)s::jsonb
FROM booked JOIN wanted USING (id)
RETURNING appointment_id
"""
REFUSED_BY: dict[str, type[SchedulingError]] = {
    "appointment_provider_free": SlotTaken,
    "appointment_start_once": SlotTaken,
    "appointment_patient_free": PatientBusy,
}


def new_appointments(
    placements: Sequence[Placement],
    *,
    patient: Patient,
    reason: str,
    via: str,
    series: UUID | None,
    now: datetime,
) -> list[Appointment]:
    """Return unsaved appointments, in the order of their placements."""
    return [
        Appointment(
            patient=patient,
            provider=placement.provider,
            clinic=placement.clinic,
            appointment_type=placement.visit_type,
            scheduled_start=placement.start,
            scheduled_end=placement.end,
            busy=Range(placement.busy.start, placement.busy.end),
            overbook_lane=placement.lane,
            reason_for_visit=reason,
            booked_via=via,
            series=series,
            created_at=now,
        )
        for placement in placements
    ]


def insert(
    appointments: Sequence[Appointment], *, by: Actor, now: datetime, details: dict[str, Any]
) -> set[UUID]:
    """Write these appointments and their events; return the ids that the database let in.

    All are one patient's with one provider in one lane. A row that conflicts is left out without
    an error, after waiting for a transaction that is about to decide.
    """
    one = appointments[0]
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            {
                "patience": lock_timeout(),
                "ids": [row.pk for row in appointments],
                "references": [row.reference for row in appointments],
                "events": [new_id() for _ in appointments],
                "starts": [row.scheduled_start for row in appointments],
                "ends": [row.scheduled_end for row in appointments],
                "busy_starts": [row.busy.lower for row in appointments],
                "busy_ends": [row.busy.upper for row in appointments],
                "patient": one.patient_id,
                "provider": one.provider_id,
                "clinic": one.clinic_id,
                "type": one.appointment_type_id,
                "lane": one.overbook_lane,
                "reason": one.reason_for_visit,
                "via": one.booked_via,
                "series": one.series,
                "now": now,
                "by_kind": by.kind.value,
                "by_user": by.user_id,
                "by_name": by.name,
                "details": json.dumps(details),
            },
        )
        written = {pk for (pk,) in cursor.fetchall()}
    for row in appointments:
        row._state.adding = False
        row._state.db = connection.alias
    return written


def record(
    appointment: Appointment,
    *,
    kind: str,
    was: Status,
    by: Actor,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> AppointmentEvent:
    """Append one event to an appointment's history; `details` hold codes and ids, never PHI."""
    return AppointmentEvent.objects.create(
        appointment=appointment,
        kind=kind,
        from_status=was,
        to_status=appointment.status,
        by_kind=by.kind.value,
        by_user_id=by.user_id,
        by_name=by.name,
        at=now,
        details=details or {},
    )


def update(
    appointment: Appointment,
    *,
    expected: Iterable[Status],
    still: type[SchedulingError] = Stale,
    within: dict[str, Any] | None = None,
    **values: Any,
) -> Appointment:
    """Write these values if status and version are still as read; return the row as it then is.

    The appointment passed in is left alone. `within` are further conditions on the row. Raises
    `still` where the row has changed, SlotTaken or PatientBusy where the database refuses.
    """
    values["version"] = appointment.version + 1
    rows = Appointment.objects.filter(
        pk=appointment.pk, version=appointment.version, status__in=expected, **(within or {})
    )
    try:
        with transaction.atomic():
            changed = rows.update(**values)
    except IntegrityError as error:
        raise _meaning(error) from error
    if not changed:
        raise still
    written = copy(appointment)
    for name, value in values.items():
        setattr(written, name, value)
    return written


def _meaning(error: IntegrityError) -> Exception:
    """Return what an exclusion constraint means; any other breach stays what it is."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    refusal = REFUSED_BY.get(name)
    return refusal() if refusal else error
