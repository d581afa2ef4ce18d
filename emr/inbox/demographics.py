"""Takes what changed about a patient there, part by part, where it was not changed here as well.

A part that changed on both sides and differs is for a person; records joined there are followed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from emr.inbox import disagreeing, people
from emr.inbox.leaving import leave_resource
from emr.inbox.outcomes import Outcome, ignored
from emr.inbox.reading import Reader
from emr.intake.kinds import Columns, Reading, Target, best_phone
from emr.intake.patients import PatientIntake
from emr.kinds import Arrival, ConflictKind, TaskKind
from emr.links import Digests, digest_key, digests
from emr.models import EMRConnection, EMRLink
from emr.outbox import linking, writing
from emr.visits import Candidate
from patients.models import Patient
from patients.suggesting import suggest_pair

NUMBERS = "record_numbers"  # they only ever come to what is on file


def take(remote_id: str, *, reader: Reader, now: datetime) -> Outcome:
    """Take a patient whom both sides know; others are no concern of ours."""
    connection = reader.connection
    link = people.link_of(connection, remote_id)
    if link is None or link.ended_at is not None:
        return ignored("unknown-patient")
    patient = Patient.objects.filter(pk=link.local_id).first()
    if patient is None:
        return ignored("unknown-patient")
    candidate = reader.patient(remote_id)
    if candidate.replaced_by:
        return _joined(link, patient, candidate, reader=reader, now=now)
    says = people.read(candidate)
    changed_at = says.identity.changed_at
    if changed_at and link.changed_at and changed_at < link.changed_at:
        return ignored("older")
    return _Reading(connection, link, patient, says, now).settle()


@dataclass
class _Reading:
    """What a record there says now, beside what it said when it was last taken, and our own."""

    connection: EMRConnection
    link: EMRLink
    patient: Patient
    says: Reading
    now: datetime

    def settle(self) -> Outcome:
        there = self._digests(self.says)
        if not self.link.part_digests:
            self._remember(there, but=())
            return Outcome(Arrival.DONE, ("first-sight",), self.patient.pk)
        changed = there.changed_since(self.link) - {NUMBERS}
        here = self._digests(ours(self.patient, self.says))
        differs = {part for part in changed if here.parts[part] != there.parts[part]}
        known = self.link.part_digests
        disputed = {part for part in differs if here.parts[part] != known.get(part)}
        with transaction.atomic():
            self._write(differs - disputed | {NUMBERS})
            self._remember(there, but=disputed)
            return self._dispute(disputed) if disputed else self._agree(changed)

    def _digests(self, reading: Reading) -> Digests:
        return digests(reading, source=self.connection.source_system, key=digest_key())

    def _write(self, parts: Collection[str]) -> None:
        target = Target(clinic=self.connection.clinic, source=self.connection.source_system)
        PatientIntake().update(self.patient, self.says, parts=parts, target=target)

    def _remember(self, there: Digests, *, but: Collection[str]) -> None:
        """Write what the source says; of what is disputed, still what it said before."""
        before = self.link.part_digests
        parts = {part: digest for part, digest in there.parts.items() if part not in but}
        kept = {part: before[part] for part in but if part in before}
        self.link.part_digests = parts | kept
        self.link.digest = self.link.digest if but else there.whole
        self.link.changed_at = self.says.identity.changed_at or self.link.changed_at
        self.link.save()

    def _dispute(self, disputed: Collection[str]) -> Outcome:
        here = ours(self.patient, self.says)
        dispute = disagreeing.Dispute(
            kind=ConflictKind.DEMOGRAPHICS,
            resource_type=people.PATIENT,
            resource_id=self.link.resource_id,
            patient=self.patient.pk,
            ours={part: dict(here.parts[part]) for part in sorted(disputed)},
            theirs={part: dict(self.says.parts[part]) for part in sorted(disputed)},
            base={},
        )
        disagreeing.open_conflict(self.connection, dispute)
        return Outcome(Arrival.CONFLICT, (ConflictKind.DEMOGRAPHICS.value,), self.patient.pk)

    def _agree(self, changed: Collection[str]) -> Outcome:
        disagreeing.settle_open(
            self.connection,
            resource_type=people.PATIENT,
            resource_id=self.link.resource_id,
            now=self.now,
        )
        if not changed:
            return Outcome(Arrival.IGNORED, ("nothing-new",), self.patient.pk)
        return Outcome(Arrival.DONE, (), self.patient.pk)


def ours(patient: Patient, says: Reading) -> Reading:
    """Return what is on file of a patient, in the parts of a reading; record numbers apart.

    Whether a number can be texted follows from the number, as in what was read.
    """
    parts: dict[str, Columns] = {
        part: {name: getattr(patient, name) for name in columns}
        for part, columns in says.parts.items()
        if part != NUMBERS
    }
    phone = best_phone([patient.phone])
    if phone is not None:
        parts["phone"] = {"phone": phone.number, "phone_is_textable": phone.is_textable}
    return Reading(identity=says.identity, parts=parts | {NUMBERS: says.parts[NUMBERS]})


def _joined(
    link: EMRLink, patient: Patient, candidate: Candidate, *, reader: Reader, now: datetime
) -> Outcome:
    """Follow a record that was joined into another: the other is the patient's from now on."""
    connection = reader.connection
    left = people.survivor(candidate, reader=reader)
    other = people.patient_here(connection, left.remote_id)
    if other is not None and other != patient.pk:
        number = (connection.source_system, left.remote_id)
        suggest_pair(patient, Patient.objects.get(pk=other), number=number)
        leave_resource(
            TaskKind.BY_HAND,
            connection=connection,
            resource_type=people.PATIENT,
            resource_id=link.resource_id,
            patient=patient,
        )
        return Outcome(Arrival.DONE, ("joined-there",), patient.pk)
    with transaction.atomic():
        link.ended_at = now
        link.save(update_fields=["ended_at"])
        if other is None:
            linking.write_link(patient, left, connection)
    writing.wake(connection=connection, patient=patient, now=now)
    return Outcome(Arrival.DONE, ("joined-there",), patient.pk)
