"""Who our providers and our clinic are at a record system: its ids for them, said by a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from emr.models import EMRConnection, EMRLink
from patients.models.audit import Act
from patients.privacy import audit
from providers.models import Clinic, Provider

PRACTITIONER, LOCATION = "Practitioner", "Location"
KINDS = {PRACTITIONER: Provider._meta.label_lower, LOCATION: Clinic._meta.label_lower}
Names = Mapping[UUID, str]


class NameTaken(Exception):
    """The id is another one's already. `local_id` is whose it was to become."""

    def __init__(self, local_id: UUID) -> None:
        super().__init__(str(local_id))
        self.local_id = local_id


def names_of(connection: EMRConnection, resource_type: str) -> dict[UUID, str]:
    """Return the other side's ids of our rows of a kind, by our id; of several the last seen."""
    return {key: link.resource_id for key, link in _links(connection, resource_type).items()}


def _links(connection: EMRConnection, resource_type: str) -> dict[UUID, EMRLink]:
    found = EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_type=resource_type,
        local_model=KINDS[resource_type],
        ended_at=None,
    )
    return {link.local_id: link for link in found.order_by("seen_at", "pk")}


@transaction.atomic
def rename(
    connection: EMRConnection, wanted: Mapping[str, Names], *, by: User, now: datetime
) -> int:
    """Write the other side's ids of our rows, by kind; return how many changed.

    "" says that a row is not there. Raises NameTaken where one id was given to two, and changes
    nothing then.
    """
    EMRConnection.objects.select_for_update().only("pk").get(pk=connection.pk)
    changes: dict[str, list[str]] = {}
    for resource_type, names in wanted.items():
        changes |= _rename(connection, resource_type, names, now=now)
    if changes:
        audit.record(
            action=Act.UPDATE,
            about=connection,
            changes=changes,
            clinic=connection.clinic_id,
            by=by,
        )
    return len(changes)


def _rename(
    connection: EMRConnection, resource_type: str, names: Names, *, now: datetime
) -> dict[str, list[str]]:
    """Write those of one kind; return what was and is, by our row."""
    links = _links(connection, resource_type)
    known = {key: link.resource_id for key, link in links.items()}
    changed = {key: name for key, name in names.items() if name != known.get(key, "")}
    EMRLink.objects.filter(pk__in=[links[key].pk for key in changed if key in links]).delete()
    for key, name in changed.items():
        if name:
            _name(connection, resource_type, key, name, now=now)
    return {f"{resource_type} {key}": [known.get(key, ""), name] for key, name in changed.items()}


def _name(
    connection: EMRConnection, resource_type: str, key: UUID, name: str, *, now: datetime
) -> None:
    identity = {
        "source_system": connection.source_system,
        "resource_type": resource_type,
        "resource_id": name,
    }
    if EMRLink.objects.filter(**identity).exists():
        raise NameTaken(key)
    EMRLink.objects.create(
        **identity, local_model=KINDS[resource_type], local_id=key, digest=b"", changed_at=now
    )
