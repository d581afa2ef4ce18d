"""What changed at a server that tells nobody: by the time of the last change, or by looking through
a window of days.

A cursor is small JSON, without PHI. What is told twice is for the keeper of arrivals to notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from emr.drivers.answers import is_a
from emr.drivers.asking import Asker, Params
from emr.drivers.recognizing import SKEW
from emr.failures import Refused
from emr.fhir import instants
from emr.fhir.tolerant import part
from emr.visits import Changes, Told

KIND = "Appointment"
# A change may become visible after a later one; so much is asked for again.
OVERLAP = timedelta(minutes=2)


def by_last_updated(asker: Asker, cursor: Mapping[str, Any], *, now: datetime) -> Changes:
    """Return a page of what was changed since the cursor, the oldest first.

    `next` is the address of the following page of the same search; where the server has forgotten
    that search, it is begun again.
    """
    since = instants.read(cursor.get("since"))
    if since is None:
        return Changes((), {"since": instants.utc(now)})
    following = str(cursor.get("next", ""))
    params = [("_lastUpdated", f"ge{instants.utc(since)}"), ("_sort", "_lastUpdated")]
    try:
        page = asker.page(KIND, params, after=following)
    except Refused:
        if not following:
            raise
        return Changes((), {"since": instants.utc(since)}, has_more=True)
    told = tuple(told_of(resource) for resource in page.resources if is_a(KIND, resource))
    latest = max([_high(cursor, since), *(_changed(one) or since for one in told)])
    if page.following:
        more = {"since": instants.utc(since), "next": page.following, "high": instants.utc(latest)}
        return Changes(told, more, has_more=True)
    return Changes(told, {"since": instants.utc(max(since, latest - OVERLAP))})


def by_looking(
    asker: Asker,
    cursor: Mapping[str, Any],
    *,
    whose: str,
    ids: Callable[[datetime, datetime], Sequence[str]],
    now: datetime,
) -> Changes:
    """Return what changed among the visits of one practitioner, or patient, and go on to the next.

    `whose` is the search parameter, `ids` gives those with visits in a window. A round begins at
    `round` and ends with the last id; the next round looks for what changed since then.
    """
    since = instants.read(cursor.get("since"))
    if since is None:
        return Changes((), {"since": instants.utc(now)})
    began = instants.read(cursor.get("round")) or now
    start = began - asker.profile.polls_back
    end = began + asker.profile.polls_ahead
    left = sorted(one for one in ids(start, end) if one > str(cursor.get("after", "")))
    told: tuple[Told, ...] = ()
    if left:
        resources = asker.found(KIND, [(whose, left[0]), *between(start, end)])
        told = tuple(told_of(one) for one in resources if _is_new(one, since))
    if len(left) > 1:
        round_ = {"since": instants.utc(since), "round": instants.utc(began), "after": left[0]}
        return Changes(told, round_, has_more=True)
    return Changes(told, {"since": instants.utc(began)})


def between(start: datetime, end: datetime) -> Params:
    """Write the closed range of days that servers want, as [start, end)."""
    return [("date", f"ge{instants.utc(start)}"), ("date", f"lt{instants.utc(end)}")]


def told_of(resource: Mapping[str, Any]) -> Told:
    version = part(resource.get("meta")).get("versionId")
    return Told(KIND, str(resource.get("id", "")), str(version or ""), resource=resource)


def _is_new(resource: Mapping[str, Any], since: datetime) -> bool:
    changed = instants.read(part(resource.get("meta")).get("lastUpdated"))
    return is_a(KIND, resource) and (changed is None or changed >= since - SKEW)


def _changed(told: Told) -> datetime | None:
    return instants.read(part(told.resource.get("meta")).get("lastUpdated"))


def _high(cursor: Mapping[str, Any], since: datetime) -> datetime:
    return instants.read(cursor.get("high")) or since
