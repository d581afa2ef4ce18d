"""Writes reminders and notices, drops others and calls the worker: all of it in one statement.

What is written, and why, others decide. Nothing that a delivery carries already is changed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django_q.conf import Conf
from django_q.tasks import async_task

from reminders.due import NIGHT
from reminders.kinds import Why
from reminders.models import Notice, Reminder
from scheduling.quiet import Quiet

DISPATCH = "reminders.tasks.dispatch"
# Skipped because the visit was not to take place, or not like this: it may be so again.
MAY_COME_BACK = (Why.CANCELLED, Why.RELEASED, Why.ARRIVED)
WRITE = """
WITH ask AS (SELECT %(ask)s::jsonb AS it),
wanted AS (
    SELECT one.* FROM ask, jsonb_to_recordset(it->'reminders') AS one(
        id uuid, appointment uuid, sequence int, kind text, channel text,
        due_at timestamptz, not_after timestamptz)
), planned AS (
    INSERT INTO reminders_reminder AS known (
        id, appointment_id, sequence, kind, channel, due_at, not_after, standing, why)
    SELECT id, appointment, sequence, kind, channel, due_at, not_after, 'PLANNED', '' FROM wanted
    ON CONFLICT (appointment_id, sequence, kind, channel) DO UPDATE
        SET due_at = excluded.due_at, not_after = excluded.not_after,
            standing = 'PLANNED', why = ''
        WHERE known.standing = 'PLANNED'
            OR (known.standing = 'SKIPPED' AND known.delivery_id IS NULL
                AND known.why = ANY(%(may_come_back)s))
), dropped AS (
    UPDATE reminders_reminder AS known SET standing = 'SKIPPED', why = one.why
    FROM ask, jsonb_to_recordset(it->'dropped') AS one(
        appointment uuid, kinds text[], why text, due_after timestamptz)
    WHERE known.appointment_id = one.appointment AND known.standing = 'PLANNED'
        AND (one.due_after IS NULL OR known.due_at > one.due_after)
        AND (one.kinds IS NULL OR known.kind = ANY(one.kinds))
        AND NOT EXISTS (
            SELECT FROM wanted WHERE wanted.appointment = known.appointment_id
                AND wanted.sequence = known.sequence AND wanted.kind = known.kind
                AND wanted.channel = known.channel)
), recalled AS (
    UPDATE reminders_notice AS known SET standing = 'SKIPPED', why = one.why
    FROM ask, jsonb_to_recordset(it->'recalled') AS one(appointment uuid, kinds text[], why text)
    WHERE known.appointment_id = one.appointment AND known.standing = 'PLANNED'
        AND known.kind = ANY(one.kinds)
), hurried AS (
    UPDATE reminders_notice AS known SET due_at = one.at
    FROM ask, jsonb_to_recordset(it->'hurried') AS one(
        appointment uuid, kinds text[], at timestamptz)
    WHERE known.appointment_id = one.appointment AND known.standing = 'PLANNED'
        AND known.kind = ANY(one.kinds) AND known.due_at > one.at
), told AS (
    INSERT INTO reminders_notice (
        id, kind, subject, channel, clinic_id, patient_id, appointment_id, sequence, offer_id,
        code_id, language, details, due_at, not_after, standing, why)
    SELECT one.*, 'PLANNED', '' FROM ask, jsonb_to_recordset(it->'notices') AS one(
        id uuid, kind text, subject text, channel text, clinic uuid, patient uuid,
        appointment uuid, sequence int, offer uuid, code uuid, language text, details jsonb,
        due_at timestamptz, not_after timestamptz)
    ON CONFLICT (kind, subject, channel) DO NOTHING RETURNING id
), called AS (
    INSERT INTO django_q_ormq (key, payload, lock)
    SELECT %(queue)s, %(package)s, %(now)s WHERE %(package)s::text IS NOT NULL
)
SELECT coalesce((SELECT array_agg(id) FROM told), '{}'), coalesce((
    SELECT jsonb_agg(jsonb_build_array(
        patient.id, patient.time_zone_id, preference.quiet_from, preference.quiet_until))
    FROM patients_patient AS patient
        LEFT JOIN reminders_contactpreference AS preference ON preference.patient_id = patient.id
    WHERE patient.id = ANY(%(patients)s)), '[]')
"""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where and when a patient does not want to be disturbed; an empty zone is the clinic's."""

    zone: str
    quiet: Quiet


@dataclass(frozen=True, slots=True)
class Written:
    """Ids of the notices that were new, and what the patients asked about have chosen."""

    notices: frozenset[UUID]
    listeners: dict[UUID, Listener]


@dataclass(slots=True)
class Work:
    """What one statement is to write. `patients` are those whose listening hours are wanted.

    What is `dropped` spares the reminders that are wanted by the same statement.
    """

    reminders: list[Reminder] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    recalled: list[dict[str, Any]] = field(default_factory=list)
    hurried: list[dict[str, Any]] = field(default_factory=list)
    patients: list[UUID] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write, so that no statement is needed."""
        return not (self.reminders or self.notices or self.dropped or self.recalled or self.hurried)

    def drop(
        self,
        appointment: UUID,
        why: Why,
        *,
        kinds: Sequence[str] | None = None,
        due_after: datetime | None = None,
    ) -> None:
        """Skip what is planned for a visit: all of it, or these kinds, or what is due later on."""
        wish = {"appointment": appointment, "kinds": kinds, "why": why, "due_after": due_after}
        self.dropped.append(wish)

    def recall(self, appointment: UUID, why: Why, *, kinds: Sequence[str]) -> None:
        """Skip notices of a visit that have not left yet."""
        self.recalled.append({"appointment": appointment, "kinds": kinds, "why": why})

    def hurry(self, appointment: UUID, *, kinds: Sequence[str], at: datetime) -> None:
        """Let notices of a visit leave at an instant instead of later."""
        self.hurried.append({"appointment": appointment, "kinds": kinds, "at": at})


def write(work: Work, *, now: datetime) -> Written:
    """Do all of it; the worker is called, once this commits, if a notice is due by `now`."""
    is_due = any(notice.due_at <= now for notice in work.notices) or bool(work.hurried)
    ask = {
        "reminders": [_reminder(row) for row in work.reminders],
        "notices": [_notice(row) for row in work.notices],
        "dropped": work.dropped,
        "recalled": work.recalled,
        "hurried": work.hurried,
    }
    values = {
        "ask": json.dumps(ask, default=str),
        "may_come_back": [why.value for why in MAY_COME_BACK],
        "queue": Conf.CLUSTER_NAME,
        "package": _package() if is_due and not Conf.SYNC else None,
        "now": now,
        "patients": work.patients,
    }
    with connection.cursor() as cursor:
        cursor.execute(WRITE, values)
        notices, listeners = cursor.fetchone()
    if is_due and Conf.SYNC:  # jobs run at once, in whoever calls for them
        nudge()
    return Written(frozenset(notices), dict(_listeners(_parsed(listeners))))


def nudge() -> None:
    """Call the worker when the current transaction, if any, has committed."""
    transaction.on_commit(partial(async_task, DISPATCH))


class _Packed:
    """Takes the package that the queue's own library makes, for a statement of ours to write."""

    list_key = Conf.CLUSTER_NAME

    def __init__(self) -> None:
        self.package = ""

    def enqueue(self, package: str) -> str:
        self.package = package
        return "with its cause"


def _package() -> str:
    """Return what the queue keeps of a call to the worker."""
    taker = _Packed()
    async_task(DISPATCH, broker=taker)
    return taker.package


def _reminder(row: Reminder) -> dict[str, Any]:
    return {
        "id": row.pk,
        "appointment": row.appointment_id,
        "sequence": row.sequence,
        "kind": row.kind,
        "channel": row.channel,
        "due_at": row.due_at,
        "not_after": row.not_after,
    }


def _notice(row: Notice) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "subject": row.subject,
        "channel": row.channel,
        "clinic": row.clinic_id,
        "patient": row.patient_id,
        "appointment": row.appointment_id,
        "sequence": row.sequence,
        "offer": row.offer_id,
        "code": row.code_id,
        "language": row.language,
        "details": row.details,
        "due_at": row.due_at,
        "not_after": row.not_after,
    }


def _parsed(value: Any) -> Any:
    """Return JSON as it stands in a cursor of Django's, which leaves it as text."""
    return json.loads(value) if isinstance(value, str) else value


def _listeners(rows: Iterable[list[str | None]]) -> Iterable[tuple[UUID, Listener]]:
    for patient, zone, quiet_from, quiet_until in rows:
        quiet = NIGHT
        if quiet_from and quiet_until:
            quiet = Quiet(time.fromisoformat(quiet_from), time.fromisoformat(quiet_until))
        yield UUID(patient), Listener(zone or "", quiet)
