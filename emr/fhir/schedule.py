"""Schedule: whose time can be booked, where, for what, and up to when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from emr.fhir import instants
from emr.fhir.building import filled
from emr.fhir.checking import checked

Json = dict[str, Any]


def schedule(
    *,
    actors: Sequence[Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]] = (),
    specialties: Sequence[Mapping[str, Any]] = (),
    horizon: tuple[datetime, datetime] | None = None,
    comment: str = "",
    schedule_id: str = "",
    extension: Sequence[Mapping[str, Any]] = (),
) -> Json:
    """Return a Schedule in use. `actors` are references, `services` and `specialties` concepts;
    `horizon` is [from, to) in aware instants. Raises Invalid."""
    planned = (
        {"start": instants.utc(horizon[0]), "end": instants.utc(horizon[1])} if horizon else {}
    )
    return checked(
        filled(
            {
                "resourceType": "Schedule",
                "id": schedule_id,
                "extension": list(extension),
                "active": True,
                "serviceType": list(services),
                "specialty": list(specialties),
                "actor": list(actors),
                "planningHorizon": planned,
                "comment": comment,
            }
        )
    )
