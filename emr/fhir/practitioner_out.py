"""Practitioner and PractitionerRole: a provider as we tell of them, and when they are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from emr.fhir.building import concept, filled, identifier, reference
from emr.fhir.checking import checked
from emr.fhir.codes import BCP_47, NUCC
from emr.fhir.identifiers import NPI_SYSTEM

Json = dict[str, Any]
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Hours:
    """Weekly hours on the place's wall clock: days count from Monday = 0, `end` 00:00 is the day's
    end."""

    days: tuple[int, ...]
    start: time
    end: time


def practitioner(
    *, name: str, npi: str = "", languages: Sequence[str] = (), practitioner_id: str = ""
) -> Json:
    """Return a Practitioner in use; the name stands whole, as the clinic writes it. Raises Invalid.

    `languages` are BCP 47 tags.
    """
    return checked(
        filled(
            {
                "resourceType": "Practitioner",
                "id": practitioner_id,
                "identifier": [identifier(NPI_SYSTEM, npi)],
                "active": True,
                "name": [{"use": "official", "text": name}],
                "communication": [concept(BCP_47, tag) for tag in languages],
            }
        )
    )


def practitioner_role(
    *,
    practitioner_id: str,
    location_id: str = "",
    specialty: tuple[str, str] = ("", ""),
    hours: Sequence[Hours] = (),
    role_id: str = "",
) -> Json:
    """Return the role of a Practitioner at a Location; `specialty` is its NUCC code and name.

    Raises Invalid.
    """
    return checked(
        filled(
            {
                "resourceType": "PractitionerRole",
                "id": role_id,
                "active": True,
                "practitioner": reference("Practitioner", practitioner_id),
                "specialty": [concept(NUCC, *specialty)] if specialty[0] else [],
                "location": [reference("Location", location_id)],
                "availableTime": list(_times(hours)),
            }
        )
    )


def _times(hours: Sequence[Hours]) -> Iterator[Json]:
    """Yield the hours; FHIR's clock has no 24:00, so a day's end is its last second."""
    for some in hours:
        days = [_DAYS[day] for day in some.days]
        if some.start == some.end == time(0):
            yield {"daysOfWeek": days, "allDay": True}
        else:
            end = _LAST_SECOND if some.end == time(0) else some.end
            yield {
                "daysOfWeek": days,
                "availableStartTime": some.start.strftime("%H:%M:%S"),
                "availableEndTime": end.strftime("%H:%M:%S"),
            }
