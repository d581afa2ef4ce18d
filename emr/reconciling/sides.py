"""Reads both sides of some visits in the form in which they are compared, in few statements.

Opens nothing that a patient told us.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db.models import QuerySet

from emr.fhir.appointment import own_id
from emr.fhir.errors import Refused
from emr.fhir.statuses import from_fhir
from emr.inbox.theirs import Theirs as Said
from emr.kinds import LIVE, Arrival
from emr.models import EMRConnection, EMRLink, InboundMessage, OutboundMessage, SyncConflict
from emr.outbox.visits import standing_of
from emr.reconciling.drift import Ours, Theirs
from emr.standings import Standing
from emr.visits import Remote
from patients.models import Patient
from providers.models import Provider
from scheduling.models import Appointment

IS_LIVE = [state.value for state in LIVE]
UNREAD = [Arrival.RECEIVED.value, Arrival.CLAIMED.value]
Links = Mapping[UUID, EMRLink]


def links_at(connection: EMRConnection, resource_type: str) -> QuerySet[EMRLink]:
    """Return the links of a type that stand."""
    return EMRLink.objects.filter(
        source_system=connection.source_system, resource_type=resource_type, ended_at=None
    )


def links_of(visits: Sequence[Appointment], connection: EMRConnection) -> Links:
    """Return the link of each visit that has one."""
    ids = [visit.pk for visit in visits]
    links = links_at(connection, "Appointment").filter(local_id__in=ids)
    return {link.local_id: link for link in links}


def named_by(remotes: Iterable[Remote], connection: EMRConnection) -> set[UUID]:
    """Return the visits that appointments there are linked to, or whose identifier they bear."""
    seen = list(remotes)
    ids = [one.remote_id for one in seen]
    links = links_at(connection, "Appointment").filter(resource_id__in=ids)
    named = {own_id(one.identifiers) for one in seen} - {None}
    return set(links.values_list("local_id", flat=True)) | {one for one in named if one}


def ours(visits: Sequence[Appointment], links: Links, connection: EMRConnection) -> list[Ours]:
    """Return our side of these visits."""
    busy = _on_their_way(visits, connection)
    patients = _patients_there(visits, connection)
    return [
        _ours(
            visit,
            links.get(visit.pk),
            patient=patients.get(visit.patient_id, ""),
            is_busy=visit.pk in busy,
        )
        for visit in visits
    ]


def theirs(
    remotes: Sequence[Remote],
    links: Links,
    visits: Sequence[Appointment],
    *,
    providers: Mapping[str, Provider],
    connection: EMRConnection,
) -> list[Theirs]:
    """Return the other side of these visits. `providers` are ours by their ids there."""
    here = {visit.pk: visit for visit in visits}
    known = {link.resource_id: here[pk] for pk, link in links.items()}
    arriving = InboundMessage.objects.filter(
        connection=connection,
        state__in=UNREAD,
        resource_type="Appointment",
        resource_id__in=[one.remote_id for one in remotes],
    )
    unread = set(arriving.values_list("resource_id", flat=True))
    return [
        Theirs(
            remote_id=one.remote_id,
            standing=_standing(one, known.get(one.remote_id), providers),
            version_id=one.version_id,
            patient=one.patient_id,
            names=own_id(one.identifiers),
            is_on_its_way=one.remote_id in unread,
        )
        for one in remotes
    ]


def _ours(visit: Appointment, link: EMRLink | None, *, patient: str, is_busy: bool) -> Ours:
    return Ours(
        id=visit.pk,
        standing=standing_of(visit),
        patient=patient,
        remote_id=link.resource_id if link else "",
        version_id=link.version_id if link else "",
        agreed=Standing.of_json(link.agreed) if link and link.agreed else None,
        is_on_its_way=is_busy,
    )


def _on_their_way(visits: Sequence[Appointment], connection: EMRConnection) -> set[UUID]:
    """Return the visits of which something is being told, or decided by a person."""
    ids = [visit.pk for visit in visits]
    messages = OutboundMessage.objects.filter(
        connection=connection, appointment__in=ids, state__in=IS_LIVE
    )
    conflicts = SyncConflict.objects.filter(
        connection=connection, appointment__in=ids, closed_at=None
    )
    found = messages.values_list("appointment_id").union(conflicts.values_list("appointment_id"))
    return {row[0] for row in found}


def _patients_there(visits: Sequence[Appointment], connection: EMRConnection) -> dict[UUID, str]:
    ids = {visit.patient_id for visit in visits}
    links = links_at(connection, "Patient").filter(
        local_model=Patient._meta.label_lower, local_id__in=ids
    )
    return dict(links.values_list("local_id", "resource_id"))


def _standing(
    remote: Remote, visit: Appointment | None, providers: Mapping[str, Provider]
) -> Standing | None:
    """Return where it stands there; None for a status that no visit can have, or without a time."""
    try:
        status, has_arrived = from_fhir(remote.status)
    except Refused:
        return None
    known = [providers[one] for one in remote.provider_ids if one in providers]
    same = [one for one in known if visit is not None and one.pk == visit.provider_id]
    said = Said(
        remote=remote,
        status=status,
        has_arrived=has_arrived,
        start=remote.start,
        end=remote.end,
        provider=next(iter(same or known), None),
    )
    if visit is not None:
        return said.standing(standing_of(visit))
    if remote.start is None:
        return None
    provider = str(said.provider.pk) if said.provider else ""
    return Standing(remote.start, remote.end or remote.start, provider, status, has_arrived)
