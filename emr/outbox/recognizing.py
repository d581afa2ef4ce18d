"""Tells from an appointment of the other side whether it is what we said. Pure."""

from __future__ import annotations

from emr.fhir.errors import Refused
from emr.fhir.statuses import from_fhir
from emr.outbox.planning import standing_after, steps
from emr.standings import Standing
from emr.visits import Remote, Visit


def standing_there(
    remote: Remote, visit: Visit, *, wanted: Standing, agreed: Standing | None
) -> Standing | None:
    """Return where an appointment of theirs stands, in our words; None where they have none for it.

    What they do not say is taken to be as both sides agreed.
    """
    try:
        status, has_arrived = from_fhir(remote.status)
    except Refused:
        return None
    base = agreed or wanted
    names = remote.provider_ids
    provider = base.provider if not names else ""
    if visit.provider.remote_id in names:
        provider = wanted.provider
    return Standing(
        start=remote.start or base.start,
        end=remote.end or base.end,
        provider=provider,
        status=status,
        has_arrived=has_arrived or base.has_arrived,
        is_confirmed=remote.is_confirmed or (agreed is not None and agreed.is_confirmed),
    )


def is_on_the_way(there: Standing, *, agreed: Standing | None, wanted: Standing) -> bool:
    """Say whether this is what both agreed on, or what one of our steps from there leads to."""
    at = agreed
    stations = [agreed] if agreed is not None else []
    for step in steps(agreed, wanted):
        at = standing_after(step, wanted, before=at)
        stations.append(at)
    return any(_is_same(there, station) for station in stations)


def _is_same(one: Standing, other: Standing) -> bool:
    """Compare time and status; who confirmed or arrived makes no difference."""
    return (one.start, one.end, one.status) == (other.start, other.end, other.status)
