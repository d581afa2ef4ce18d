"""Which appointment of theirs is ours: as it was told, as it was known, or found again without any
mark of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from emr.drivers.answers import is_a, remote
from emr.drivers.changing import LIVE
from emr.failures import Clash
from emr.fhir import instants
from emr.visits import Known, Remote, Visit

# A server's clock may be wrong by so much.
SKEW = timedelta(minutes=10)


def check_version(theirs: Remote, known: Known) -> None:
    """Raise Clash where it was changed there since it was last known."""
    if known.version_id and theirs.version_id and known.version_id != theirs.version_id:
        raise Clash("changed-there")


def told(visit: Visit, remote_id: str, version_id: str = "") -> Remote:
    """Return a booked visit as the other side was told of it."""
    return Remote(
        remote_id=remote_id,
        version_id=version_id,
        status="booked",
        start=visit.start.astimezone(UTC),
        end=visit.end.astimezone(UTC),
        patient_id=visit.patient.remote_id,
        provider_ids=(visit.provider.remote_id,) if visit.provider.remote_id else (),
        slot_ids=(visit.slot_id,) if visit.slot_id else (),
    )


def starting(
    resources: Iterable[Mapping[str, Any]], start: datetime, end: datetime
) -> list[Remote]:
    """Return the appointments that start in [start, end)."""
    found = (remote(one) for one in resources if is_a("Appointment", one))
    return [one for one in found if one.start is not None and start <= one.start < end]


def surely_ours(
    resources: Iterable[Mapping[str, Any]], visit: Visit, *, since: datetime
) -> Remote | None:
    """Return the appointment that a lost answer was about, by its start, provider and age.

    For servers that keep no identifier of ours. One that is older than `since` is not it; a
    cancelled one only if it says that it was made since.
    """
    oldest = since - SKEW
    for one in resources:
        found = remote(one)
        known = visit.provider.remote_id
        is_theirs = not known or not found.provider_ids or known in found.provider_ids
        if found.start == visit.start and is_theirs and _is_since(found, oldest):
            return found
    return None


def _is_since(found: Remote, oldest: datetime) -> bool:
    created = instants.read(found.raw.get("created"))
    if found.status not in LIVE:
        return created is not None and created >= oldest
    at = created or found.changed_at
    return at is None or at >= oldest
