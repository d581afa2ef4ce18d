"""Writes down which visit an appointment of the other side is, and what both sides agree on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from emr.inbox.outcomes import NotNow
from emr.kinds import LIVE, State, What
from emr.models import EMRConnection, EMRLink, OutboundMessage
from emr.models.outbound import OfConnectionQuerySet
from emr.outbox.agreements import NO_DIGEST
from emr.standings import Standing
from emr.visits import Remote
from scheduling.models import Appointment

APPOINTMENT = "Appointment"


def link_of(connection: EMRConnection, remote_id: str) -> EMRLink | None:
    """Return the link of an appointment of theirs, be it one that has ended."""
    return EMRLink.objects.filter(
        source_system=connection.source_system, resource_type=APPOINTMENT, resource_id=remote_id
    ).first()


def link_to(connection: EMRConnection, appointment: UUID) -> EMRLink | None:
    """Return the link that a visit of ours has there now."""
    return EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_type=APPOINTMENT,
        local_id=appointment,
        ended_at=None,
    ).first()


@transaction.atomic
def write(
    connection: EMRConnection,
    remote: Remote,
    appointment: Appointment,
    *,
    agreed: Standing | None,
    is_seen: bool = True,
) -> EMRLink:
    """Link an appointment of theirs to a visit, with what both sides now agree on.

    Until the version `is_seen`, whoever comes after a crash takes it all again. Raises NotNow
    where the visit or the appointment has been linked otherwise a moment ago.
    """
    values: dict[str, Any] = {
        "local_model": Appointment._meta.label_lower,
        "local_id": appointment.pk,
        "agreed": agreed.as_json() if agreed else {},
        "agreed_version": appointment.version,
        "ended_at": None,
    }
    if is_seen:
        values["version_id"] = remote.version_id
    if is_seen and remote.changed_at:
        values["changed_at"] = remote.changed_at
    try:
        with transaction.atomic():
            link, _is_new = EMRLink.objects.update_or_create(
                source_system=connection.source_system,
                resource_type=APPOINTMENT,
                resource_id=remote.remote_id,
                defaults=values,
                create_defaults=values | {"digest": NO_DIGEST},
            )
    except IntegrityError as error:
        raise NotNow("linked-meanwhile") from error
    return link


def known_as(link: EMRLink, remote: Remote) -> str:
    """Return why a reading is nothing new ("echo", "older"), or nothing where it may be."""
    if remote.version_id and remote.version_id == link.version_id:
        return "echo"
    if remote.version_id.isdecimal() and link.version_id.isdecimal():
        return "older" if int(remote.version_id) < int(link.version_id) else ""
    if remote.changed_at and link.changed_at and remote.changed_at < link.changed_at:
        return "older"
    return ""


def is_being_told(connection: EMRConnection, *, appointment: UUID) -> bool:
    """Whether a message about a visit is on its way there at this moment."""
    return _messages(connection, State.SENDING).filter(appointment=appointment).exists()


def has_more_to_tell(connection: EMRConnection, *, appointment: UUID) -> bool:
    """Whether something of a visit is still to be told there."""
    return _messages(connection, *LIVE).filter(appointment=appointment).exists()


def is_being_booked(connection: EMRConnection, *, patient: UUID) -> bool:
    """Whether a visit of a patient is perhaps there already, though no answer has said as what."""
    on_their_way = _messages(connection, State.SENDING, State.UNKNOWN)
    return on_their_way.filter(patient=patient).exists()


def _messages(connection: EMRConnection, *states: State) -> OfConnectionQuerySet:
    return OutboundMessage.objects.filter(
        connection=connection, what=What.VISIT.value, state__in=[state.value for state in states]
    )
