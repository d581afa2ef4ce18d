"""Begins a message: made from the rows as they are, recorded, and from then on perhaps sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from emr.models import OutboundMessage
from emr.outbox import claims
from emr.outbox.outcomes import PURPOSE, SYSTEM, Outcome
from patients.models.audit import Act
from patients.privacy import audit

Made = TypeVar("Made")
Clock = Callable[[], datetime]
# The visit may change again and again while its message is made; after so often it waits.
TRIES = 3
SETTLE = timedelta(seconds=30)


def begin(
    message: OutboundMessage,
    make: Callable[[OutboundMessage, datetime], tuple[Made, int | None] | Outcome],
    *,
    clock: Clock,
) -> Made | Outcome:
    """Make what is to be sent, and begin; again where the visit has changed meanwhile.

    `make` returns it with the version of the visit that it was made from, or what became of the
    message instead. One row of the record is written of it: SEND in the statement that begins it,
    else ACCESS.
    """
    for _try in range(TRIES):
        with audit.keeping_record(system=SYSTEM, purpose=PURPOSE) as record:
            record.clinic = message.connection.clinic_id
            record.look.patients.add(message.patient_id)
            made = make(message, clock())
            if isinstance(made, Outcome):
                return made
            what, version = made
            record.action = Act.SEND
            record.is_written = claims.begin(
                message,
                visit_version=version,
                timeout=timedelta(seconds=message.connection.timeout_seconds),
                record=audit.row_of(
                    record, app="emr", model="outboundmessage", object=str(message.pk)
                ),
                now=clock(),
            )
            if not record.is_written:
                record.action = Act.ACCESS
        if record.is_written:
            message.attempts += 1
            return what
        if not claims.is_held(message):
            return Outcome.LOST
    claims.hand_back(message, not_before=clock() + SETTLE)
    return Outcome.LATER
