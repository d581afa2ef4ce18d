"""Where a visit stood whenever it was perhaps told: where it is, and where it was before each move.

A booking whose answer was lost has to be looked for where it was made, not only where it is now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from emr.models import EMRConnection
from emr.outbox.visits import provider_party, remote_ids
from emr.standings import Standing
from emr.visits import Remote, Visit
from providers.models import Provider
from scheduling.models import Appointment

MOVE = "MOVE"


def places(
    visit: Visit, appointment: Appointment, connection: EMRConnection, *, since: datetime
) -> Iterator[Visit]:
    """Yield the visit where it is, then where it was before each move since then, latest first."""
    yield visit
    moves = appointment.events.filter(kind=MOVE, at__gte=since).order_by("-at", "-id")
    for details in moves.values_list("details", flat=True):
        start = datetime.fromisoformat(details["from_start"])
        provider = Provider.objects.get(pk=UUID(details["from_provider"]))
        remote_id = remote_ids(connection, provider.pk).get(provider.pk, "")
        yield replace(
            visit,
            start=start,
            end=start + (visit.end - visit.start),
            provider=provider_party(provider, remote_id=remote_id),
        )


def place_there(remote: Remote, visit: Visit, *, wanted: Standing) -> Standing:
    """Return the wanted standing at the time, and with the provider, that theirs has; "" for one
    other than the visit's. What they do not say is taken to be as wanted."""
    names = remote.provider_ids
    is_ours = not names or visit.provider.remote_id in names
    return replace(
        wanted,
        start=remote.start or wanted.start,
        end=remote.end or wanted.end,
        provider=wanted.provider if is_ours else "",
    )
