"""Writes appointments with their first event, and then changes and further events.

No statement here can overbook: the database leaves a row out, or refuses a change, that overlaps.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from psycopg.types.range import Range

from patients.models import Patient
from providers.calendars import fresh_stamp
from providers.fields import new_id
from scheduling.actors import Actor
from scheduling.auditing import row_of_booking
from scheduling.errors import PatientBusy, SchedulingError, SlotTaken, Stale
from scheduling.facts import Facts
from scheduling.models import Appointment, AppointmentEvent, SlotHold
from scheduling.placing import Placement
from scheduling.transactions import lock_timeout
from scheduling.transitions import Status

REASON = Appointment._meta.get_field("reason_for_visit")
BOOK = "SELECT * FROM daysheet_book(%s::jsonb)"
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


@dataclass(frozen=True, slots=True)
class Written:
    """Which rows the database let in; if all, what it found after locking the calendar.

    `facts` are None where a row was left out or the hold to be used up had ended. `stamp` is the
    calendar's new one.
    """

    ids: frozenset[UUID]
    facts: Facts | None
    stamp: int


def write(
    appointments: Sequence[Appointment],
    question: dict[str, Any],
    *,
    hold: SlotHold | None,
    details: dict[str, Any],
    by: Actor,
    now: datetime,
) -> Written:
    """Insert these appointments and their events, use up the hold, bump, and then ask the facts.

    All are one patient's with one provider in one lane. A row that conflicts is left out without
    an error, after waiting for a transaction that is about to decide; then nothing else is done.
    """
    one, stamp = appointments[0], fresh_stamp()
    wish = question | {
        "visits": [
            visit
            | {"id": row.pk, "reference": row.reference, "reason": _sealed(row), "event": new_id()}
            for row, visit in zip(appointments, question["visits"], strict=True)
        ],
        "patience": lock_timeout(),
        "patient": one.patient_id,
        "type": one.appointment_type_id,
        "via": one.booked_via,
        "series": one.series,
        "hold": hold and hold.pk,
        "holder": hold and hold.holder,
        "stamp": stamp,
        "by_kind": by.kind,
        "by_user": by.user_id,
        "by_name": by.name,
        "details": details,
        "audit": row_of_booking(appointments, by=by),
        "relation": new_id(),
        "relation_months": settings.CARE_RELATIONSHIP_MONTHS,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(BOOK, [json.dumps(wish, default=str)])
        written, hold_used, *facts = cursor.fetchone()
    for row in appointments:
        row._state.adding = False
        row._state.db = connection.alias
    done = len(written) == len(appointments) and hold_used is (hold is not None)
    return Written(
        frozenset(written), Facts.of(tuple(facts), clinic=one.clinic_id) if done else None, stamp
    )


def _sealed(appointment: Appointment) -> str | None:
    """Return the reason as it is stored: the row's id is part of its seal."""
    sealed = REASON.pre_save(appointment, add=True)
    return None if sealed is None else sealed.text


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
