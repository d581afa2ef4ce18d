"""Reads a visit as a driver is given it: what both sides call whom, and where the visit stands.

Opens what patients told us, so whoever calls keeps a record of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from uuid import UUID

from django.db.models import Q

from emr.kinds import Vendor
from emr.models import EMRCode, EMRConnection, EMRLink, OutboundMessage
from emr.standings import Standing
from emr.visits import Code, Party, Person, Visit
from patients.models import Patient
from providers.models import Provider
from scheduling.models import Appointment, CancelReason
from scheduling.transitions import Act, Status

SCHEDULED = {Status.SCHEDULED, Status.CONFIRMED}
RELATED = ("patient", "provider", "clinic__time_zone", "appointment_type")


def read(message: OutboundMessage) -> Appointment:
    """Return the visit of a message as it is now, with what is said of it."""
    return Appointment.objects.select_related(*RELATED).get(emr_messages=message)


def is_known(provider: Party, connection: EMRConnection) -> bool:
    """Say whether the other side can be told whose visit it is; HL7 v2 knows them by their NPI."""
    return bool(provider.remote_id or (connection.vendor == Vendor.HL7V2 and provider.npi))


def standing_of(appointment: Appointment) -> Standing:
    """Return where a visit stands with us."""
    status = Status(appointment.status)
    return Standing(
        start=appointment.scheduled_start.astimezone(UTC),
        end=appointment.scheduled_end.astimezone(UTC),
        provider=str(appointment.provider_id),
        status=Status.SCHEDULED if status in SCHEDULED else status,
        has_arrived=appointment.arrived_at is not None,
        is_confirmed=status is Status.CONFIRMED,
    )


def visit_of(appointment: Appointment, connection: EMRConnection, *, marker: str = "") -> Visit:
    """Return a visit with the ids that the connection's system has for patient, provider, place.

    An id is empty where nothing is linked. The person is given only to systems that are told of
    people with every visit (HL7 v2). Opens the reason for the visit.
    """
    ids = remote_ids(
        connection, appointment.patient_id, appointment.provider_id, appointment.clinic_id
    )
    kind, provider = appointment.appointment_type, appointment.provider
    ended = appointment.events.filter(kind=Act.CANCEL).last()
    last = appointment.events.last()
    cancel_code = "" if ended is None else str(ended.details.get("reason", ""))
    is_told_of_people = connection.vendor == Vendor.HL7V2
    return Visit(
        id=appointment.pk,
        reference=appointment.reference,
        status=Status(appointment.status),
        start=appointment.scheduled_start,
        end=appointment.scheduled_end,
        patient=Party(remote_id=ids.get(appointment.patient_id, "")),
        provider=provider_party(provider, remote_id=ids.get(provider.pk, "")),
        place=Party(remote_id=ids.get(appointment.clinic_id, ""), name=appointment.clinic.name),
        type_code=kind.code,
        type_label=kind.label,
        code=_code(appointment, connection),
        is_telehealth=kind.is_telehealth,
        has_arrived=appointment.arrived_at is not None,
        reason=appointment.reason_for_visit,
        cancel_reason=_in_words(cancel_code),
        cancel_code=cancel_code,
        changed_at=appointment.created_at if last is None else last.at,
        created_at=appointment.created_at,
        sequence=appointment.sequence,
        marker=marker,
        person=person_of(appointment.patient, connection) if is_told_of_people else None,
    )


def person_of(patient: Patient, connection: EMRConnection) -> Person:
    """Return a patient as they are looked for at the other side; opens who they are."""
    numbers = patient.identifiers.order_by("source_system", "value")
    return Person(
        id=patient.pk,
        given=patient.given_name,
        family=patient.family_name,
        dob=patient.dob,
        sex=patient.sex,
        phone=patient.phone,
        email=patient.email,
        address={
            "line": patient.address_line,
            "city": patient.city,
            "state": patient.state,
            "postal_code": patient.postal_code,
        },
        language=patient.language,
        member_id=patient.insurance_member_id,
        identifiers=tuple(numbers.values_list("source_system", "value")),
    )


def provider_party(provider: Provider, *, remote_id: str) -> Party:
    """Return a provider; the last word of the name, titles apart, is taken for the family name."""
    words = [word for word in provider.name.split() if not word.endswith(".")]
    given, family = " ".join(words[:-1]), words[-1] if words else provider.name
    npi = provider.npi_number or ""
    return Party(remote_id=remote_id, name=provider.name, given=given, family=family, npi=npi)


def remote_ids(connection: EMRConnection, *rows: UUID) -> Mapping[UUID, str]:
    """Return what the other side calls these patients, providers and clinics of ours.

    Of several links of a row the one last seen is meant; ended ones count for nothing.
    """
    kinds = Q(resource_type="Patient", local_model="patients.patient")
    kinds |= Q(resource_type="Practitioner", local_model="providers.provider")
    kinds |= Q(resource_type="Location", local_model="providers.clinic")
    links = EMRLink.objects.filter(
        kinds, source_system=connection.source_system, local_id__in=rows, ended_at=None
    )
    return dict(links.order_by("seen_at").values_list("local_id", "resource_id"))


def _code(appointment: Appointment, connection: EMRConnection) -> Code | None:
    row = EMRCode.objects.filter(
        connection=connection, visit_type=appointment.appointment_type_id
    ).first()
    return None if row is None else Code(row.system, row.code, row.display)


def _in_words(cancel_code: str) -> str:
    known = cancel_code in CancelReason.values
    return str(CancelReason(cancel_code).label) if known else ""
