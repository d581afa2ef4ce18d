"""Lets a person send a message again that gave up or waits, or say that it need not go."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django_q.tasks import async_task

from emr.kinds import LIVE, State, What, Why
from emr.models import OutboundMessage
from emr.outbox.outcomes import PURPOSE
from emr.outbox.writing import PUSH
from patients.models.audit import Act
from patients.privacy import audit

STUCK = [State.DEAD.value, State.WAITING.value]
OPEN = [*STUCK, State.QUEUED.value, State.UNKNOWN.value]


class NotStuck(Exception):
    """The message is on its way, or was dealt with meanwhile."""


@transaction.atomic
def replay(message: OutboundMessage, *, by: User, now: datetime) -> None:
    """Send a message again, with fresh attempts; what was perhaps sent is looked for first.

    Raises NotStuck.
    """
    rows = OutboundMessage.objects.filter(pk=message.pk, state__in=STUCK)
    if _is_asked_already(message):
        _move(rows, message, by=by, state=State.SKIPPED, why=Why.SUPERSEDED, done_at=now)
        return
    _move(rows, message, by=by, state=State.QUEUED, why=Why.NONE, attempts=0, not_before=now)
    transaction.on_commit(partial(async_task, PUSH, str(message.connection_id)))


@transaction.atomic
def drop(message: OutboundMessage, *, by: User, now: datetime) -> None:
    """Say that a message need not go: somebody has done at the other side what it asks for.

    Raises NotStuck.
    """
    rows = OutboundMessage.objects.filter(pk=message.pk, state__in=OPEN)
    _move(rows, message, by=by, state=State.SKIPPED, why=Why.BY_HAND, done_at=now)


def _is_asked_already(message: OutboundMessage) -> bool:
    """Say whether a newer message asks who this patient is."""
    others = OutboundMessage.objects.filter(
        connection=message.connection_id, patient=message.patient_id, what=What.PATIENT.value
    ).exclude(pk=message.pk)
    return message.what == What.PATIENT and others.filter(state__in=LIVE).exists()


def _move(
    rows: QuerySet[OutboundMessage], message: OutboundMessage, *, by: User, **values: Any
) -> None:
    if not rows.update(codes=[], **values):
        raise NotStuck
    audit.record(
        action=Act.UPDATE,
        patients=[message.patient_id],
        about=message,
        fields=["state"],
        purpose=PURPOSE,
        clinic=message.connection.clinic_id,
        by=by,
    )
