"""Which patient of the other side is ours: found for certain, or decided by a person.

Verbs of pages only write; whatever has to be asked there, the worker asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from emr import links
from emr.drivers.base import Driver
from emr.intake.kinds import Target
from emr.intake.patients import PatientIntake
from emr.kinds import State, What, Why
from emr.models import EMRConnection, EMRLink, OutboundMessage, PatientMatch
from emr.outbox import candidates as reading
from emr.outbox import writing
from emr.outbox.agreements import NO_DIGEST
from emr.outbox.certainty import certain
from emr.visits import Candidate, Person
from patients.models import Patient
from patients.suggesting import suggest_pair

KIND = "Patient"


class LinkedOtherwise(Exception):
    """The other side's record is that of another patient of ours: the two may be one person."""

    def __init__(self, other: UUID, number: tuple[str, str]) -> None:
        super().__init__()
        self.other, self.number = other, number


class AlreadyDecided(Exception):
    """Somebody else has dealt with this patient meanwhile."""


def link_of(patient: Patient, connection: EMRConnection) -> EMRLink | None:
    """Return which record of the other side is this patient's."""
    rows = EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_type=KIND,
        local_model=Patient._meta.label_lower,
        local_id=patient.pk,
        ended_at=None,
    )
    return rows.order_by("seen_at").last()


def is_left_alone(patient: Patient, connection: EMRConnection) -> bool:
    """Say whether somebody decided that the other side need not know this patient."""
    last = PatientMatch.objects.filter(connection=connection, patient=patient)
    newest = last.order_by("opened_at", "pk").last()
    return newest is not None and newest.result == PatientMatch.Result.LEFT


def find(person: Person, driver: Driver) -> list[Candidate]:
    """Return who may be this person there; records that were joined into others are followed.

    Raises EMRError, NotOffered where there is no way to ask.
    """
    return reading.followed(driver.find_patient(person), driver)


def certain_of(
    person: Person, found: Sequence[Candidate], connection: EMRConnection
) -> Candidate | None:
    """Return the one who surely is the person, if any."""
    told = [reading.told(each, source=connection.source_system) for each in found]
    remote_id = certain(reading.ours(person), told)
    return next((each for each in found if each.remote_id == remote_id), None)


def write_link(patient: Patient, candidate: Candidate, connection: EMRConnection) -> EMRLink:
    """Write that this record is the patient's, and keep its record numbers.

    What it says now is remembered, so that only later changes there are taken in. Raises
    LinkedOtherwise.
    """
    names = {"source_system": connection.source_system, "resource_type": KIND}
    link = EMRLink.objects.filter(**names, resource_id=candidate.remote_id).first()
    label = Patient._meta.label_lower
    if link is not None and _is_anothers(link, patient):
        raise LinkedOtherwise(link.local_id, (connection.source_system, candidate.remote_id))
    link = link or EMRLink(**names, resource_id=candidate.remote_id, digest=NO_DIGEST)
    link.local_model, link.local_id, link.ended_at = label, patient.pk, None
    told = reading.reading_of(candidate)
    if told is not None:
        key = links.digest_key()
        digest = links.digests(told, source=connection.source_system, key=key)
        link.digest, link.part_digests = digest.whole, dict(digest.parts)
        target = Target(clinic=connection.clinic, source=connection.source_system)
        if candidate.remote_id != patient.pk.hex:  # then the number would be our own
            PatientIntake().update(patient, told, parts={"record_numbers"}, target=target)
    link.save()
    return link


def _is_anothers(link: EMRLink, patient: Patient) -> bool:
    """Say whether a link is somebody else's: not of a record that was joined into this one."""
    if link.ended_at is not None or link.local_id == patient.pk:
        return False
    return not patient.merged.filter(pk=link.local_id).exists()


def suggest(patient: Patient, refusal: LinkedOtherwise) -> None:
    """Have somebody look whether two patients with one record there are one person."""
    other = Patient.objects.filter(pk=refusal.other).first()
    if other is not None:
        suggest_pair(patient, other, number=refusal.number)


@transaction.atomic
def ask_people(
    patient: Patient, found: Sequence[Candidate], connection: EMRConnection
) -> PatientMatch:
    """Have somebody say who of these is the patient; what is open already is brought up to date."""
    match, _is_new = PatientMatch.objects.get_or_create(
        connection=connection, patient=patient, closed_at=None
    )
    match.candidates = reading.as_kept(found)
    match.save(update_fields=["candidates"])
    return match


def link(match: PatientMatch, *, remote_id: str, by: User | None, now: datetime) -> EMRLink:
    """Say which record is the patient's; their messages leave. `remote_id` is a candidate's, or
    was found by other means. Raises LinkedOtherwise (then the two wait for a look), AlreadyDecided.
    """
    kept = reading.kept_in(match.candidates)
    unknown = Candidate(remote_id=remote_id)
    candidate = next((each for each in kept if each.remote_id == remote_id), unknown)
    try:
        with transaction.atomic():
            match = _closed(match, PatientMatch.Result.LINKED, by=by, now=now)
            written = write_link(match.patient, candidate, match.connection)
    except LinkedOtherwise as refusal:
        suggest(match.patient, refusal)
        raise
    writing.wake(connection=match.connection, patient=match.patient, now=now)
    return written


@transaction.atomic
def create(match: PatientMatch, *, by: User | None, now: datetime) -> None:
    """Have the patient made there: the worker does it soon. Raises AlreadyDecided."""
    match = _closed(match, PatientMatch.Result.CREATED, by=by, now=now)
    _asks(match).update(
        act="CREATE", state=State.QUEUED.value, why=Why.NONE.value, not_before=now, attempts=0
    )
    writing.ask_for_patient(match.patient, connection=match.connection, act="CREATE", now=now)


@transaction.atomic
def leave(match: PatientMatch, *, by: User | None, now: datetime) -> None:
    """Say that the other side need not know the patient: what waits is not sent.

    Raises AlreadyDecided.
    """
    match = _closed(match, PatientMatch.Result.LEFT, by=by, now=now)
    waiting = OutboundMessage.objects.filter(
        connection=match.connection, patient=match.patient, why=Why.NO_PATIENT.value
    )
    waiting.filter(state=State.WAITING.value).update(
        state=State.SKIPPED.value, why=Why.BY_HAND.value, done_at=now
    )


def _asks(match: PatientMatch) -> QuerySet[OutboundMessage]:
    return OutboundMessage.objects.filter(
        connection=match.connection,
        patient=match.patient,
        what=What.PATIENT.value,
        state=State.WAITING.value,
    )


def _closed(match: PatientMatch, result: str, *, by: User | None, now: datetime) -> PatientMatch:
    """Lock and close an open match. Raises AlreadyDecided."""
    rows = PatientMatch.objects.select_for_update(of=("self",), no_key=True)
    locked: PatientMatch = rows.select_related("connection__clinic", "patient").get(pk=match.pk)
    if locked.closed_at is not None:
        raise AlreadyDecided
    locked.result, locked.closed_at, locked.closed_by = result, now, by
    locked.save(update_fields=["result", "closed_at", "closed_by"])
    return locked
