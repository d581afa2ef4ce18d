"""Which providers a query's filters leave, in order, and the stamps of their calendars.

Knows nothing of free time: it is told by a stamp alone whether what is known of it still holds.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from struct import Struct
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Collate

from providers.models import Provider, ProviderSchedule
from providers.packing import BigintBytes, Clock, IsAmong, Packed, UUIDBytes
from scheduling.availability.query import Query

ENTRY = Struct("24s")
KNOWN = Struct(">16sq")


@dataclass(frozen=True, slots=True)
class Matched:
    """Providers in the order of answers: by name by code point, then by id.

    `packed` has an entry of 24 bytes for each: the id (16) and the calendar's stamp (8, signed,
    big-endian). `clock` is the database's, aware, UTC.
    """

    packed: bytes
    clock: datetime

    def __len__(self) -> int:
        return len(self.packed) // ENTRY.size

    def entries(self) -> list[bytes]:
        """Return the 24 bytes of each provider, in order."""
        return _entries(self.packed)

    def ids(self) -> list[UUID]:
        """Return the providers' ids, in order."""
        return [UUID(bytes=id_) for id_, _stamp in KNOWN.iter_unpack(self.packed)]


def matching(query: Query) -> Matched:
    """Return the bookable providers that the query's filters leave, in one statement."""
    found = bookable(query).aggregate(
        packed=Packed(
            UUIDBytes("pk"), BigintBytes("calendar__stamp"), order_by=[Collate("name", "C"), "pk"]
        ),
        clock=Clock(),
    )
    return Matched(packed=bytes(found["packed"] or b""), clock=found["clock"])


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
    return Provider.objects.select_related("specialty").in_bulk(ids)


def _entries(packed: bytes | None) -> list[bytes]:
    return [entry for (entry,) in ENTRY.iter_unpack(packed or b"")]
