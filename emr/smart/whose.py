"""Which of our users a record system's practitioner is, and where a launch leads them.

By the link that the clinic's set-up made, or else by the NPI, which is one person's. A name decides
nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse

from emr.failures import Refused
from emr.fhir.identifiers import npis
from emr.models import EMRConnection, EMRLink
from patients.models import CareRelationship, Patient
from providers.models import Membership, Provider, Role
from scheduling.models import Appointment
from scheduling.transitions import Status

FHIR_USER = re.compile(r"Practitioner/([A-Za-z0-9\-.]{1,64})")
A_DAY = timedelta(days=1)
OVER = [Status.CANCELLED.value, Status.NO_SHOW.value]


def practitioner_id(fhir_user: object, *, base_url: str) -> str:
    """Return the id in a fhirUser claim, which names a practitioner of that very server.

    Raises Refused for patients, relatives and people of another server.
    """
    said = str(fhir_user).removeprefix(base_url.rstrip("/") + "/")
    match = FHIR_USER.fullmatch(said)
    if match is None:
        raise Refused("fhir-user")
    return match[1]


def linked_provider(connection: EMRConnection, remote_id: str) -> Provider | None:
    """Return the provider of the connection's clinic who is linked to a practitioner there."""
    link = _link(connection, "Practitioner", remote_id)
    return _providers(connection).filter(pk=link.local_id).first() if link else None


def provider_by_npi(connection: EMRConnection, practitioner: Mapping[str, Any]) -> Provider | None:
    """Return the provider of the connection's clinic with the one NPI that a Practitioner has."""
    found = npis(practitioner.get("identifier"))
    if len(found) != 1:
        return None
    return _providers(connection).filter(npi_number=found[0]).first()


def account_of(provider: Provider, connection: EMRConnection) -> User:
    """Return a provider's own account. Raises Refused where it has no provider's role here now."""
    roles = Membership.objects.filter(
        user=provider.user_id,
        clinic=connection.clinic_id,
        role=Role.PROVIDER,
        is_active=True,
        clinic__is_active=True,
    )
    if provider.user is None or not provider.user.is_active or not roles.exists():
        raise Refused("no-provider-account")
    return provider.user


def where_to(connection: EMRConnection, *, user: User, remote_patient: str, now: datetime) -> str:
    """Return the address where a provider begins: at the patient they had open there, if they see
    that patient here, else at the own day. The pages themselves decide again."""
    link = _link(connection, "Patient", remote_patient) if remote_patient else None
    if link is None:
        return reverse("provider:today")
    patient = _still(link.local_id)
    visit = _nearest_visit(user, patient, now)
    if visit is not None:
        return reverse("provider:visit", args=[visit])
    if CareRelationship.objects.shared_with(user).filter(patient=patient).exists():
        return reverse("provider:shared_record", args=[patient])
    return reverse("provider:today")


def _still(patient: UUID) -> UUID:
    """Return the record that a patient's is joined into, or their own."""
    row = Patient.objects.filter(pk=patient).values_list("merged_into", flat=True).first()
    return row or patient


def _nearest_visit(user: User, patient: UUID, now: datetime) -> UUID | None:
    """Return the own visit of a patient that is next, today's included; else the last."""
    own = (
        Appointment.objects.visible_to(user)
        .filter(provider__user=user, patient=patient)
        .exclude(status__in=OVER)
    )
    starts = own.values_list("pk", flat=True)
    coming = starts.filter(scheduled_end__gt=now - A_DAY).order_by("scheduled_start").first()
    return coming or starts.order_by("-scheduled_start").first()


def _providers(connection: EMRConnection) -> QuerySet[Provider]:
    return Provider.objects.filter(clinic=connection.clinic_id).select_related("user")


def _link(connection: EMRConnection, resource_type: str, remote_id: str) -> EMRLink | None:
    return EMRLink.objects.filter(
        source_system=connection.source_system,
        resource_type=resource_type,
        resource_id=remote_id,
        ended_at=None,
    ).first()
