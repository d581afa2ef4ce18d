"""What is on offer: one kind of visit with one provider at one place, and the resources of it.

Public facts alone come in here; a time that is not free is busy, whatever the cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from emr.fhir import instants
from emr.fhir.building import concept, reference
from emr.fhir.codes import NUCC
from emr.fhir.location import location
from emr.fhir.practitioner_out import Hours, practitioner, practitioner_role
from emr.fhir.schedule import schedule
from emr.fhir.slot import FREE, slot
from emr.fhir.systems import OWN_VISIT_TYPES, SNOMED

Json = dict[str, Any]
BOOKING_LINK = "http://hl7.org/fhir/uv/smart-scheduling-links/StructureDefinition/booking-deep-link"
VIDEO_VISIT = concept(SNOMED, "448337001", "Telemedicine consultation with patient")
YEARS = range(2000, 2200)
_STAMP = "%Y%m%dT%H%MZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    id: UUID
    name: str
    address: str
    phone: str
    web: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A provider; `specialty` is its NUCC code and name."""

    id: UUID
    name: str
    npi: str
    specialty: tuple[str, str]
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """`book_at` is the page on which it is booked; `hours` are the place's wall clock."""

    who: Who
    place: Place
    type_code: str
    type_label: str
    is_telehealth: bool
    horizon: tuple[datetime, datetime]
    hours: tuple[Hours, ...]
    book_at: str

    @property
    def id(self) -> UUID:
        """Its Schedule's id: the same for the same provider, place and kind of visit."""
        return uuid5(self.who.id, f"{self.place.id}/{self.type_code}")

    @property
    def role_id(self) -> UUID:
        return uuid5(self.who.id, str(self.place.id))


@dataclass(frozen=True, slots=True, order=True)
class Time:
    """Aware instants on whole minutes, half-open."""

    start: datetime
    end: datetime
    status: str = FREE


def slot_id(offer_id: UUID, start: datetime) -> str:
    return f"{offer_id.hex}-{start.astimezone(UTC):{_STAMP}}"


def read_slot_id(written: str) -> tuple[UUID, datetime]:
    """Return the Schedule's id and the start, which is in YEARS. Raises ValueError."""
    schedule_id, _, written_start = written.partition("-")
    start = datetime.strptime(written_start, _STAMP).replace(tzinfo=UTC)
    if start.year not in YEARS:
        raise ValueError("no such time")
    return UUID(hex=schedule_id), start


def schedule_of(offer: Offer) -> Json:
    services = [concept(OWN_VISIT_TYPES, offer.type_code, offer.type_label, text=offer.type_label)]
    code, name = offer.who.specialty
    return schedule(
        schedule_id=str(offer.id),
        actors=[
            reference("Practitioner", str(offer.who.id), display=offer.who.name),
            reference("Location", str(offer.place.id), display=offer.place.name),
        ],
        services=[*services, *([VIDEO_VISIT] if offer.is_telehealth else [])],
        specialties=[concept(NUCC, code, name)] if code else [],
        horizon=offer.horizon,
    )


def slots_of(offer: Offer, times: Iterable[Time]) -> Iterator[Json]:
    """Yield the Slots of these times. One of each status is judged whole; the others differ from
    it in their id and their moments alone."""
    judged: dict[str, Json] = {}
    for time in times:
        if time.status not in judged:
            judged[time.status] = _slot(offer, time)
        yield judged[time.status] | {
            "id": slot_id(offer.id, time.start),
            "start": instants.utc(time.start),
            "end": instants.utc(time.end),
        }


def _slot(offer: Offer, time: Time) -> Json:
    link = [{"url": BOOKING_LINK, "valueUrl": offer.book_at}] if time.status == FREE else []
    return slot(
        schedule=str(offer.id),
        start=time.start,
        end=time.end,
        status=time.status,
        slot_id=slot_id(offer.id, time.start),
        extension=link,
    )


def location_of(place: Place) -> Json:
    return location(
        location_id=str(place.id),
        name=place.name,
        address=place.address,
        phone=place.phone,
        web=place.web,
    )


def practitioner_of(who: Who) -> Json:
    return practitioner(
        practitioner_id=str(who.id), name=who.name, npi=who.npi, languages=who.languages
    )


def role_of(offers: Sequence[Offer]) -> Json:
    """Return what a provider is at a place, with the hours of all that is offered there."""
    first = offers[0]
    hours = dict.fromkeys(some for offer in offers for some in offer.hours)
    return practitioner_role(
        role_id=str(first.role_id),
        practitioner_id=str(first.who.id),
        location_id=str(first.place.id),
        specialty=first.who.specialty,
        hours=tuple(hours),
    )
