"""Which providers a query's filters leave, in order, and the stamps of their calendars.

Knows nothing of free time: it is told by a stamp alone whether what is known of it still holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from struct import Struct
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from providers.models import Provider, ProviderSchedule, Specialty
from providers.packing import BigintBytes, Clock, IsAmong, Packed, UUIDBytes
from scheduling.availability.query import Query

ENTRY = Struct("24s")
KNOWN = Struct(">16sq")


@dataclass(frozen=True)
class Matched:
    """Providers in the order of answers: by name by code point, then by id.

    `packed` has an entry of 24 bytes for each: the id (16) and the calendar's stamp (8, signed,
    big-endian). `clock` is the database's, aware, UTC.
    """

    packed: bytes
    clock: datetime

    def __len__(self) -> int:
        return len(self.packed) // ENTRY.size

    @cached_property
    def entries(self) -> list[bytes]:
        """The 24 bytes of each provider, in order."""
        return [entry for (entry,) in ENTRY.iter_unpack(self.packed)]

    def ids(self) -> list[UUID]:
        """Return the providers' ids, in order."""
        return [UUID(bytes=id_) for id_, _stamp in KNOWN.iter_unpack(self.packed)]


MATCHING = """
SELECT string_agg(uuid_send(who.id) || int8send(calendar.stamp), ''::bytea
                  ORDER BY who.name COLLATE "C", who.id), clock_timestamp()
FROM providers_provider who
JOIN providers_providercalendar calendar ON calendar.provider_id = who.id
JOIN providers_clinic own ON own.id = who.clinic_id
WHERE who.is_active AND own.is_active
    AND (who.clinic_id = ANY(%(clinics)s) OR EXISTS (
        SELECT FROM providers_providerschedule worked
        WHERE worked.provider_id = who.id AND worked.clinic_id = ANY(%(clinics)s)))
"""
NARROWED = {
    "provider": "AND who.id = %(provider)s",
    "specialty": "AND who.specialty_id = %(specialty)s",
    "insurance_plan": """AND EXISTS (
        SELECT FROM providers_provider_insurance_plans taken
        WHERE taken.provider_id = who.id AND taken.insuranceplan_id = %(insurance_plan)s)""",
    "language": "AND who.languages @> ARRAY[%(language)s]::varchar[]",
    "telehealth": "AND who.offers_telehealth",
    "new_patient": "AND who.accepts_new_patients",
}


def matching(query: Query) -> Matched:
    """Return the bookable providers that the query's filters leave, in one statement.

    The same as `bookable`, written out: putting it together would take longer than asking it.
    """
    wanted = _wanted(query)
    asked = " ".join([MATCHING, *(NARROWED[name] for name in wanted)])
    with connection.cursor() as cursor:
        cursor.execute(asked, wanted | {"clinics": [clinic.pk for clinic in query.clinics]})
        packed, clock = cursor.fetchone()
    return Matched(packed=bytes(packed or b""), clock=clock.astimezone(UTC))


def _wanted(query: Query) -> dict[str, Any]:
    """Return the filters that are set, as the statement's parameters."""
    one = {
        "provider": query.provider and query.provider.pk,
        "specialty": query.specialty and query.specialty.pk,
        "insurance_plan": query.insurance_plan and query.insurance_plan.pk,
        "language": query.language,
        "telehealth": query.telehealth or query.visit_type.is_telehealth,
        "new_patient": query.new_patient,
    }
    return {name: value for name, value in one.items() if value}


def bookable(query: Query) -> QuerySet[Provider]:
    """Return the same providers as rows, each once, in no order."""
    clinics = [clinic.pk for clinic in query.clinics]
    there = ProviderSchedule.objects.filter(IsAmong("clinic", clinics), provider=OuterRef("pk"))
    found = Provider.objects.bookable().filter(
        Q(IsAmong("clinic", clinics)) | Q(Exists(there)), calendar__isnull=False
    )
    if query.provider is not None:
        found = found.filter(pk=query.provider.pk)
    if query.specialty is not None:
        found = found.filter(specialty=query.specialty)
    if query.insurance_plan is not None:
        found = found.filter(insurance_plans=query.insurance_plan)
    if query.language:
        found = found.filter(languages__contains=[query.language])
    if query.telehealth or query.visit_type.is_telehealth:
        found = found.filter(offers_telehealth=True)
    if query.new_patient:
        found = found.filter(accepts_new_patients=True)
    return found


def after(last: UUID | None, *, count: int) -> Matched:
    """Return the next `count` of all bookable providers in the order of their ids, from any on."""
    every = Provider.objects.bookable().filter(calendar__isnull=False).order_by("pk")
    found = (every if last is None else every.filter(pk__gt=last))[:count].aggregate(
        packed=Packed(UUIDBytes("pk"), BigintBytes("calendar__stamp"), order_by=["pk"]),
        clock=Clock(),
    )
    return Matched(packed=bytes(found["packed"] or b""), clock=found["clock"])


def by_ids(ids: Collection[UUID]) -> dict[UUID, Provider]:
    """Return the few providers that are shown, with their specialty."""
    with connection.cursor() as cursor:
        cursor.execute(_shown(), [list(ids)])
        rows = cursor.fetchall()
    columns = len(_columns(Provider))
    found = {}
    for row in rows:
        one = Provider.from_db(connection.alias, _columns(Provider), row[:columns])
        known = row[columns:]
        if one.specialty_id is not None:
            one.specialty = Specialty.from_db(connection.alias, _columns(Specialty), known)
        found[one.pk] = one
    return found


@cache
def _columns(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def _shown() -> str:
    who = ", ".join(f"who.{name}" for name in _columns(Provider))
    known = ", ".join(f"known.{name}" for name in _columns(Specialty))
    return (
        f"SELECT {who}, {known} FROM providers_provider who"  # noqa: S608 (columns of models)
        " LEFT JOIN providers_specialty known ON known.id = who.specialty_id"
        " WHERE who.id = ANY(%s)"
    )
