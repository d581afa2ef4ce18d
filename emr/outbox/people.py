"""Finds out which patient of the other side is ours before anything of theirs is told there.

One message for each patient asks for all others, so that two visits never make one person twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from emr.drivers.base import Driver
from emr.failures import EMRError, NotOffered
from emr.kinds import State, Why
from emr.models import OutboundMessage, PatientMatch
from emr.outbox import claims, linking, writing
from emr.outbox.begun import Clock, begin
from emr.outbox.outcomes import PURPOSE, SYSTEM, Outcome, kept, not_sent
from emr.outbox.visits import person_of
from emr.visits import Candidate, Person, Visit
from patients.privacy import audit

CREATE = "CREATE"


def wait_for_patient(message: OutboundMessage, visit: Visit, *, now: datetime) -> Outcome | None:
    """Let a visit's message wait until its patient is known there; None where they are."""
    connection = message.connection
    if visit.patient.remote_id:
        return None
    if linking.is_left_alone(message.patient, connection):
        is_mine = claims.skip(message, why=Why.BY_HAND, now=now)
        return kept(Outcome.SKIPPED, is_mine=is_mine)
    is_mine = claims.wait(message, why=Why.NO_PATIENT)
    writing.ask_for_patient(message.patient, connection=connection, now=now)
    if linking.link_of(message.patient, connection):  # in the very moment between the two
        writing.wake(connection=connection, patient=message.patient, now=now)
    return kept(Outcome.WAITING, is_mine=is_mine)


def ask(message: OutboundMessage, driver: Driver, clock: Clock) -> Outcome:
    """Look for a patient there, and link, make or leave them to a person."""
    was_unsure = message.sending_at is not None
    person = begin(message, _made, clock=clock)
    if isinstance(person, Outcome):
        return person
    try:
        found = _found(message, person, driver, was_unsure=was_unsure)
        if isinstance(found, Candidate):
            return _linked(message, found, now=clock())
        if _may_create(message, found):
            was_unsure = False
            return _linked(message, driver.create_patient(person), now=clock())
    except NotOffered:
        found = []
    except EMRError as error:
        return not_sent(message, error, was_unsure=was_unsure, now=clock())
    return _left_to_people(message, found, now=clock())


def _made(message: OutboundMessage, now: datetime) -> tuple[Person, None] | Outcome:
    """Read who is looked for; nobody who is known there, or was left alone."""
    patient, connection = message.patient, message.connection
    if linking.link_of(patient, connection) is not None:
        is_mine = claims.skip(message, why=Why.NOTHING_TO_SAY, now=now)
        writing.wake(connection=connection, patient=patient, now=now)
        return kept(Outcome.SKIPPED, is_mine=is_mine)
    if message.act != CREATE and linking.is_left_alone(patient, connection):
        is_mine = claims.skip(message, why=Why.BY_HAND, now=now)
        return kept(Outcome.SKIPPED, is_mine=is_mine)
    return person_of(patient, connection), None


def _found(
    message: OutboundMessage, person: Person, driver: Driver, *, was_unsure: bool
) -> Candidate | Sequence[Candidate]:
    """Return who it surely is, or who it may be. Whom somebody wants made is not looked for, but
    to see whether an earlier try has made them."""
    if message.act == CREATE and not was_unsure:
        return []
    found = linking.find(person, driver)
    return linking.certain_of(person, found, message.connection) or found


def _may_create(message: OutboundMessage, found: Sequence[Candidate]) -> bool:
    """Say whether a patient may be made there: nobody is alike, or somebody has looked at them."""
    return not found and (message.act == CREATE or message.connection.creates_patients)


def _linked(message: OutboundMessage, candidate: Candidate, *, now: datetime) -> Outcome:
    """Write who it is; then, when that can be seen by all, let what waited leave."""
    patient, connection = message.patient, message.connection
    try:
        with audit.keeping_record(system=SYSTEM, purpose=PURPOSE), transaction.atomic():
            linking.write_link(patient, candidate, connection)
            _close(message, now=now)
    except linking.LinkedOtherwise as refusal:
        with audit.keeping_record(system=SYSTEM, purpose=PURPOSE):
            linking.suggest(patient, refusal)
        return _left_to_people(message, [candidate], now=now)
    writing.wake(connection=connection, patient=patient, now=now)
    return kept(Outcome.SENT, is_mine=claims.done(message, now=now))


def _close(message: OutboundMessage, *, now: datetime) -> None:
    """Nobody need say any more who it is."""
    PatientMatch.objects.filter(
        connection=message.connection, patient=message.patient, closed_at=None
    ).update(closed_at=now, result=PatientMatch.Result.LINKED.value)


@transaction.atomic
def _left_to_people(
    message: OutboundMessage, found: Sequence[Candidate], *, now: datetime
) -> Outcome:
    linking.ask_people(message.patient, found, message.connection)
    is_mine = claims.wait(message, why=Why.NO_PATIENT, away_from=State.SENDING)
    return kept(Outcome.WAITING, is_mine=is_mine)
