"""Appointment: our visits as R4 has them, and theirs as far as they can be read.

Our notes never leave as a comment. What their status means is for `statuses` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any
from uuid import UUID

from emr.fhir import identity, instants
from emr.fhir.building import coding, concept, filled, identifier, reference
from emr.fhir.checking import Invalid, checked
from emr.fhir.codes import codings
from emr.fhir.errors import Refused
from emr.fhir.identifiers import NPI_SYSTEM
from emr.fhir.references import ids_of
from emr.fhir.statuses import to_fhir
from emr.fhir.systems import (
    APPOINTMENT_TYPES,
    CANCEL_REASONS,
    OWN_CANCEL_REASONS,
    OWN_SYSTEM,
    OWN_TAGS,
    OWN_VISIT_TYPES,
    SNOMED,
)
from emr.fhir.tolerant import items, part, text
from emr.visits import Code, Party, Remote, Visit
from scheduling.transitions import Status

Json = dict[str, Any]
CONFIRMED_TAG: Mapping[str, str] = {
    "system": OWN_TAGS,
    "code": "CONFIRMED",
    "display": "Confirmed by the patient",
}
LONGEST_REASON = 255
MOST = 20
_URN = "urn:uuid:"
_FOLLOW_UP = coding(APPOINTMENT_TYPES, "FOLLOWUP", "A follow up visit from a previous appointment")
_TELEHEALTH = coding(SNOMED, "448337001", "Telemedicine consultation with patient")
# Who called a visit off, in HL7's words; a reason it has no word for is its "other".
_CANCELLED: Mapping[str, tuple[str, str]] = {
    "PATIENT_REQUEST": ("pat", "Patient"),
    "PATIENT_BETTER": ("pat-fb", "Patient: Feeling Better"),
    "PROVIDER_AWAY": ("prov", "Provider"),
}
_OTHER = ("other", "Other")


def own_value(visit_id: UUID) -> str:
    return f"{_URN}{visit_id}"


def own_id(identifiers: Iterable[tuple[str, str]]) -> UUID | None:
    """Return the id of the visit of ours that (system, value) pairs name, if they do."""
    for system, value in identifiers:
        if system == OWN_SYSTEM and value.lower().startswith(_URN):
            try:
                return UUID(value[len(_URN) :])
            except ValueError:
                continue
    return None


def appointment(
    visit: Visit, *, remote_id: str = "", version_id: str = "", cancelled_via: str = ""
) -> Json:
    """Return a visit as an Appointment; with `remote_id` as one that replaces theirs.

    `cancelled_via` is spare for a visit that knows no `cancel_code` of its own. Raises Invalid,
    also for a patient whom the other side does not know yet.
    """
    if not visit.patient.remote_id:
        raise Invalid("no-patient")
    reason = visit.reason.strip()[:LONGEST_REASON]
    return checked(
        filled(
            {
                "resourceType": "Appointment",
                "id": remote_id,
                "meta": {"versionId": version_id, "tag": list(_tags(visit))},
                "identifier": [identifier(OWN_SYSTEM, own_value(visit.id))],
                "status": to_fhir(visit.status, has_arrived=visit.has_arrived),
                "cancelationReason": _cancelled(visit, cancelled_via),
                "serviceType": list(_services(visit)),
                "appointmentType": _type(visit),
                "reasonCode": [concept(text=reason)] if reason else [],
                "start": instants.utc(visit.start),
                "end": instants.utc(visit.end),
                "minutesDuration": _minutes(visit),
                "slot": [reference("Slot", visit.slot_id)],
                "created": instants.utc(visit.created_at),
                "participant": list(_participants(visit)),
            }
        )
    )


def _minutes(visit: Visit) -> int | None:
    """None for less than one, which FHIR has no number for; its times are judged by themselves."""
    return max(int((visit.end - visit.start).total_seconds() // 60), 0) or None


def _tags(visit: Visit) -> Iterator[Json]:
    if visit.status is Status.CONFIRMED:
        yield dict(CONFIRMED_TAG)


def _type(visit: Visit) -> Json:
    """Our own code always; HL7's only where it means the same (it has no word for urgent care)."""
    ours = coding(OWN_VISIT_TYPES, visit.type_code, visit.type_label)
    known = [_FOLLOW_UP] if visit.type_code == "FOLLOW_UP" else []
    return {"coding": [*known, ours], "text": visit.type_label}


def _services(visit: Visit) -> Iterator[Json]:
    """Yield the other side's own word for the visit's type, and that it is a video visit."""
    if visit.code is not None:
        yield concept(visit.code.system, visit.code.code, visit.code.display)
    if visit.is_telehealth:
        yield {"coding": [_TELEHEALTH]}


def _cancelled(visit: Visit, via: str) -> Json:
    """Only a cancelled visit gives a reason: R4's app-4 spells no-show as no status is spelt."""
    if visit.status is not Status.CANCELLED:
        return {}
    reason = visit.cancel_code or via
    known = coding(CANCEL_REASONS, *_CANCELLED.get(reason, _OTHER))
    ours = coding(OWN_CANCEL_REASONS, reason, visit.cancel_reason) if reason else {}
    return {"coding": [known, ours], "text": visit.cancel_reason}


def _participants(visit: Visit) -> Iterator[Json]:
    yield _participant(reference("Patient", visit.patient.remote_id))
    provider = _provider(visit.provider)
    if provider:
        yield _participant(provider)
    if visit.place.remote_id and not visit.is_telehealth:
        yield _participant(reference("Location", visit.place.remote_id, display=visit.place.name))


def _provider(provider: Party) -> Json:
    """Point at the provider by the other side's id, else by NPI, else not at all."""
    if provider.remote_id:
        return reference("Practitioner", provider.remote_id, display=provider.name)
    if provider.npi:
        known = identifier(NPI_SYSTEM, provider.npi)
        return {"type": "Practitioner", "identifier": known, "display": provider.name}
    return {}


def _participant(actor: Json) -> Json:
    return {"actor": actor, "required": "required", "status": "accepted"}


def read_appointment(resource: Mapping[str, Any]) -> Remote:
    """Read an Appointment of theirs: of R4, and where they differ of STU3 and R5.

    What is unknown, malformed or missing is empty; the status stands as they wrote it. Raises
    Refused only for one without an id, or with text that no row could hold.
    """
    known = identity.identity("Appointment", resource)
    meta = part(resource.get("meta"))
    actors = [part(who.get("actor")) for who in items(resource.get("participant"))]
    actors += list(items(resource.get("subject")))
    return Remote(
        remote_id=known.resource_id,
        version_id=_text(meta.get("versionId")),
        status=text(resource.get("status")),
        start=instants.read(resource.get("start")),
        end=instants.read(resource.get("end")),
        patient_id=next(iter(ids_of(actors, "Patient")), ""),
        provider_ids=ids_of(actors, "Practitioner", "PractitionerRole"),
        place_ids=ids_of(actors, "Location"),
        slot_ids=ids_of(items(resource.get("slot")), "Slot"),
        identifiers=_identifiers(resource),
        codes=_codes(resource),
        reason=_reason(resource),
        changed_at=instants.read(meta.get("lastUpdated")),
        is_confirmed=any(_is_confirmation(tag) for tag in items(meta.get("tag"))),
        raw=resource,
    )


def _text(value: object) -> str:
    try:
        return text(value)
    except Refused:
        return ""


def _identifiers(resource: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = (
        (_text(one.get("system")), _text(one.get("value")))
        for one in items(resource.get("identifier"))
    )
    return tuple(dict.fromkeys(pair for pair in found if pair[1]))[:MOST]


def _codes(resource: Mapping[str, Any]) -> tuple[Code, ...]:
    """Return the codes of the kind of visit; R5 wraps each service's concept once more."""
    services = [part(one.get("concept")) or one for one in items(resource.get("serviceType"))]
    concepts = [*services, part(resource.get("appointmentType"))]
    try:
        found = [Code(one.system, one.code, one.display) for one in codings(concepts) if one.code]
    except Refused:
        return ()
    return tuple(dict.fromkeys(found))[:MOST]


def _reason(resource: Mapping[str, Any]) -> str:
    """Return the first reason in words: R4's reasonCode, else STU3's and R5's reason."""
    for one in chain(items(resource.get("reasonCode")), items(resource.get("reason"))):
        said = part(one.get("concept")) or one
        words = [said.get("text"), *(code.get("display") for code in items(said.get("coding")))]
        for word in words:
            if isinstance(word, str) and word.strip():
                return text(word.strip()[:LONGEST_REASON])
    return ""


def _is_confirmation(tag: Mapping[str, Any]) -> bool:
    return (tag.get("system"), tag.get("code")) == (CONFIRMED_TAG["system"], CONFIRMED_TAG["code"])
