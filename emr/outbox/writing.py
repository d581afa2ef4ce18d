"""Writes down, in the transaction of a change itself, that record systems have to be told.

One statement for each kind of change, and no row where a clinic has no record system. Decides
nothing of what is said: that is seen when a message leaves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Least
from django.utils import timezone
from django_q.tasks import async_task

from emr.arriving import arriving_from
from emr.kinds import State, What, Why
from emr.models import EMRConnection, OutboundMessage
from patients.models import Patient
from providers.fields import new_id
from scheduling.changes import Change
from scheduling.models import Appointment
from scheduling.transitions import Act

PUSH = "emr.tasks.push"
# What is waiting of such a visit leaves at once, and says what is so by then.
HURRIES = {Act.UNDO, "RESTORE", "SEND_NOW"}
# As `new_id` makes them: ids of version 7, in the order of time.
NEW_ID = """(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
        || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid"""
NEW_MARKER = "upper(substr(replace(gen_random_uuid()::text, '-', ''), 17))"

# A visit that left a clinic is told of there too. Where a row of the visit still waits, the same
# row says what is so by then; its lock keeps a worker from reading the visit as it was.
WRITE = f"""
WITH wish AS (
    SELECT * FROM jsonb_to_recordset(%(wishes)s::jsonb) AS wish(
        appointment uuid, patient uuid, clinics uuid[], version int, act text, rank int,
        not_before timestamptz, hurries boolean, adds boolean)
), joined AS (
    SELECT id, clinic_id FROM emr_emrconnection
    WHERE is_active AND sends_visits AND id IS DISTINCT FROM %(except)s::uuid
), hurried AS (
    UPDATE emr_outboundmessage AS known SET not_before = least(known.not_before, wish.not_before)
    FROM wish WHERE wish.hurries AND known.appointment_id = wish.appointment
        AND known.state IN ('QUEUED', 'WAITING')
    RETURNING known.connection_id, known.appointment_id, known.what
), written AS (
    INSERT INTO emr_outboundmessage (
        id, connection_id, what, act, patient_id, appointment_id, version, rank, marker, state, why,
        codes, attempts, not_before, fence)
    SELECT {NEW_ID}, joined.id, CASE wish.rank WHEN 1 THEN 'NOTE' ELSE 'VISIT' END,
        wish.act, wish.patient, wish.appointment, wish.version, wish.rank, {NEW_MARKER},
        'QUEUED', '', '[]', 0, wish.not_before, 0
    FROM wish JOIN joined ON joined.clinic_id = ANY(wish.clinics)
    WHERE wish.adds AND NOT EXISTS (
        SELECT FROM hurried WHERE hurried.connection_id = joined.id
            AND hurried.appointment_id = wish.appointment AND hurried.what = 'VISIT')
    ON CONFLICT (connection_id, appointment_id) WHERE what = 'NOTE' AND state <> 'SKIPPED'
    DO UPDATE SET version = excluded.version, not_before = excluded.not_before
        WHERE emr_outboundmessage.state IN ('QUEUED', 'WAITING')
    RETURNING connection_id, not_before
)
SELECT connection_id FROM hurried
UNION SELECT connection_id FROM written WHERE not_before <= %(now)s
"""  # noqa: S608 - of this module's own words
REGISTER = f"""
INSERT INTO emr_outboundmessage (
    id, connection_id, what, act, patient_id, version, rank, marker, state, why, codes, attempts,
    not_before, fence)
SELECT {NEW_ID}, id, 'PATIENT', %(act)s, %(patient)s, 0, 0, {NEW_MARKER}, 'QUEUED', '', '[]', 0,
    %(now)s, 0
FROM emr_emrconnection AS joined
WHERE is_active AND clinic_id = %(clinic)s
    AND (%(connection)s::uuid IS NULL AND sends_visits OR id = %(connection)s::uuid)
ON CONFLICT (connection_id, patient_id)
    WHERE what = 'PATIENT' AND state IN ('QUEUED', 'CLAIMED', 'SENDING', 'UNKNOWN', 'WAITING')
    DO NOTHING
RETURNING connection_id
"""  # noqa: S608 - of this module's own words


def on_appointment_change(changes: Sequence[Change]) -> None:
    """Write a message for every active connection of the clinics concerned that is told of visits,
    but for the one that the change came from; and one more for the note of a completed visit."""
    wishes = [wish for change in changes for wish in _wishes(change)]
    except_for = arriving_from()
    values = {"wishes": json.dumps(wishes, default=str), "except": except_for}
    _nudge(_run(WRITE, values | {"now": changes[0].at}))


def on_registration(patient: Patient) -> None:
    """Have the record systems of a new patient's clinic asked whether they know them."""
    ask_for_patient(patient, now=timezone.now())


def ask_for_patient(
    patient: Patient,
    *,
    connection: EMRConnection | None = None,
    act: str = "FIND",
    now: datetime,
) -> None:
    """Have a patient looked for at one connection, or at all that are told of visits.

    `act` CREATE makes them there, as somebody decided. Nothing is written where they are being
    looked for already.
    """
    values = {
        "patient": patient.pk,
        "clinic": patient.clinic_id,
        "connection": connection and connection.pk,
        "act": act,
        "now": now,
    }
    _nudge(_run(REGISTER, values))


def tell_again(appointment: Appointment, connection: EMRConnection, *, now: datetime) -> None:
    """Have one connection told of a visit as it stands, though nothing has changed here."""
    OutboundMessage.objects.create(
        connection=connection,
        what=What.VISIT.value,
        act="AGAIN",
        patient_id=appointment.patient_id,
        appointment=appointment,
        version=appointment.version,
        marker=new_marker(),
        not_before=now,
    )
    _nudge([connection.pk])


def wake(
    *,
    connection: EMRConnection,
    patient: Patient | None = None,
    appointment: Appointment | None = None,
    now: datetime,
) -> int:
    """Let messages leave that waited for a patient to be linked, or for a visit's conflict to be
    settled; return how many."""
    rows = OutboundMessage.objects.filter(connection=connection, state=State.WAITING.value)
    if patient is not None:
        rows = rows.filter(patient=patient, why=Why.NO_PATIENT.value)
    if appointment is not None:
        rows = rows.filter(appointment=appointment)
    woken = rows.update(
        state=State.QUEUED.value, why=Why.NONE.value, not_before=Least("not_before", now)
    )
    if woken:
        _nudge([connection.pk])
    return woken


def new_marker() -> str:
    """Return sixteen characters by which a message is known at the other side."""
    return new_id().hex[-16:].upper()


def _wishes(change: Change) -> list[dict[str, Any]]:
    visit = change.appointment
    clinics = {visit.clinic_id, (change.before or visit).clinic_id}
    wish = {
        "appointment": visit.pk,
        "patient": visit.patient_id,
        "clinics": sorted(map(str, clinics)),
        "version": visit.version,
        "act": str(change.kind),
        "rank": 0,
        "not_before": (change.not_before or change.at).isoformat(),
        "hurries": change.kind in HURRIES,
        "adds": change.kind != "SEND_NOW",
    }
    return [wish, wish | {"rank": 1}] if change.kind == Act.COMPLETE else [wish]


def _run(statement: str, values: dict[str, Any]) -> list[UUID]:
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def _nudge(connections: Iterable[UUID]) -> None:
    """Call the worker for these connections once the change has committed."""
    for pk in connections:
        transaction.on_commit(partial(async_task, PUSH, str(pk)))
