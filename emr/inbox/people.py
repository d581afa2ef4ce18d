"""Knows whose a message is: the patient here who is somebody there, made if nobody is.

Never overwrites what is on file, and never guesses: one whose record number and birthday are on
file is the same; the worker looks for others who may be.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from emr.failures import NotFound, Refused
from emr.fhir.identity import identity
from emr.inbox.outcomes import NotNow
from emr.inbox.reading import Reader
from emr.intake.kinds import Reading, Target
from emr.intake.patients import PatientIntake
from emr.links import digest_key, digests, write_link
from emr.models import EMRConnection, EMRLink
from emr.outbox import linking
from emr.visits import Candidate
from patients.models import Patient, PatientIdentifier
from patients.suggesting import suggest_later

PATIENT = "Patient"
MOST_JOINS = 5


def link_of(connection: EMRConnection, remote_id: str) -> EMRLink | None:
    return EMRLink.objects.filter(
        source_system=connection.source_system, resource_type=PATIENT, resource_id=remote_id
    ).first()


def patient_here(connection: EMRConnection, remote_id: str) -> UUID | None:
    """Return the patient who somebody there is here, if they are known."""
    link = link_of(connection, remote_id) if remote_id else None
    if link is None:
        return None
    known = Patient.objects.filter(pk=link.local_id).values_list("pk", "merged_into_id").first()
    return None if known is None else known[1] or known[0]


def patient_of(remote_id: str, *, reader: Reader) -> Patient:
    """Return the patient who somebody there is, registered here now if nobody is.

    Raises what reading the patient raises, and emr.fhir.errors.Refused for one who cannot be.
    """
    known = patient_here(reader.connection, remote_id)
    if known is not None:
        return Patient.objects.get(pk=known)
    candidate = survivor(reader.patient(remote_id), reader=reader)
    known = patient_here(reader.connection, candidate.remote_id)
    if known is not None:
        return Patient.objects.get(pk=known)
    try:
        return _taken(candidate, reader.connection)
    except IntegrityError as error:
        raise NotNow("registered-meanwhile") from error


def survivor(candidate: Candidate, *, reader: Reader) -> Candidate:
    """Follow records that were joined into others to the one that is left. Raises Refused where
    they lead in a circle, NotFound where the last is gone."""
    for _join in range(MOST_JOINS):
        if not candidate.replaced_by:
            return candidate
        candidate = reader.patient(candidate.replaced_by)
    raise Refused("joined-in-a-circle")


def read(candidate: Candidate) -> Reading:
    """Read who they are. Raises emr.fhir.errors.Refused, and NotFound for an empty record."""
    if not candidate.raw:
        raise NotFound("empty-patient")
    return PatientIntake().read(identity(PATIENT, candidate.raw), candidate.raw)


@transaction.atomic
def _taken(candidate: Candidate, connection: EMRConnection) -> Patient:
    """Link the one who has the record number already, else register somebody new."""
    says = read(candidate)
    same = _with_number(says, connection)
    if same is not None:
        linking.write_link(same, candidate, connection)
        return same
    target = Target(clinic=connection.clinic, source=connection.source_system)
    patient = PatientIntake().create(says, target=target).row
    if not isinstance(patient, Patient):
        raise TypeError("an intake of patients makes patients")
    digest = digests(says, source=connection.source_system, key=digest_key())
    write_link(None, says, patient, digest, source=connection.source_system)
    suggest_later([patient.pk])
    return patient


def _with_number(says: Reading, connection: EMRConnection) -> Patient | None:
    """Return the one patient of the clinic who has one of the record numbers and the birthday."""
    columns = says.columns()
    found: set[UUID] = set()
    for system, value in columns["record_numbers"]:
        numbers = PatientIdentifier.objects.filter(
            source_system=system or connection.source_system,
            value=value,
            patient__clinic=connection.clinic_id,
            patient__merged_into=None,
        )
        found |= set(numbers.values_list("patient_id", flat=True))
    if len(found) != 1:
        return None
    patient = Patient.objects.get(pk=found.pop())
    is_linked = linking.link_of(patient, connection) is not None
    is_same = patient.dob is not None and str(patient.dob) == str(columns["dob"])
    return patient if is_same and not is_linked else None
