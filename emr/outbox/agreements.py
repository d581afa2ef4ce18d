"""Keeps which appointment or note of the other side a visit of ours is, and what both agreed on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from emr.failures import Refused
from emr.models import EMRConnection, EMRLink
from emr.standings import Standing
from emr.visits import Known
from scheduling.models import Appointment

VISIT, NOTE = "Appointment", "DocumentReference"
NO_DIGEST = bytes(32)  # nothing of it was taken in
MODEL = Appointment._meta.label_lower


def link_of(appointment: UUID, connection: EMRConnection, *, kind: str = VISIT) -> EMRLink | None:
    """Return the link of a visit, or of its note, at one connection; None while there is none."""
    return EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_type=kind,
        local_id=appointment,
        ended_at=None,
    ).first()


def agreed_in(link: EMRLink | None, *, wanted: Standing) -> Standing | None:
    """Return where both sides stand; None where the other side has no such visit.

    Of a link that says nothing about it everything counts as different but that it stands.
    """
    if link is None:
        return None
    if link.agreed:
        return Standing.of_json(link.agreed)
    return Standing(wanted.start, wanted.end, "", wanted.status.SCHEDULED)


def known_by(link: EMRLink) -> Known:
    return Known(link.resource_id, link.version_id)


def write(
    link: EMRLink | None,
    known: Known,
    *,
    appointment: Appointment,
    connection: EMRConnection,
    standing: Standing,
    now: datetime,
) -> EMRLink:
    """Write what both sides agree on; where the visit bears another id there now, in a new link."""
    if link is not None and link.resource_id != known.remote_id:
        end(link, now=now)
        link = None
    link = link or new_link(connection, VISIT, known.remote_id, appointment)
    link.version_id = known.version_id
    link.agreed, link.agreed_version = standing.as_json(), appointment.version
    link.save()
    return link


def write_note(known: Known, *, appointment: Appointment, connection: EMRConnection) -> EMRLink:
    """Write which note of the other side is that of a visit."""
    link = new_link(connection, NOTE, known.remote_id, appointment)
    link.version_id = known.version_id
    link.save()
    return link


def end(link: EMRLink, *, now: datetime) -> None:
    """Let a link count for nothing from now on."""
    link.ended_at = now
    link.save(update_fields=["ended_at"])


def new_link(
    connection: EMRConnection, kind: str, remote_id: str, appointment: Appointment
) -> EMRLink:
    """Return the link of a resource that we made, or know to be our visit; not yet saved.

    One that is there already, or ended once, is the same. Raises Refused for another visit's.
    """
    names = {
        "source_system": connection.source_system,
        "resource_type": kind,
        "resource_id": remote_id,
    }
    link = EMRLink.objects.filter(**names).first() or EMRLink(**names, digest=NO_DIGEST)
    if link.local_id not in {None, appointment.pk} and link.ended_at is None:
        raise Refused("linked-otherwise")
    link.local_model, link.local_id, link.ended_at = MODEL, appointment.pk, None
    return link
