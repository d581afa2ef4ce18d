"""Connections to record systems, with what a clinic has set up before the first visit goes out."""

from __future__ import annotations

from typing import Any

from factory import declarations as factory
from factory.django import DjangoModelFactory

from emr.kinds import Auth, Vendor
from emr.models import EMRCode, EMRConnection, EMRLink
from providers.fields import UUIDModel
from providers.models import Clinic, Provider, VisitType
from tests.emr.peers import Peer
from tests.emr.peers.cast import SERVICE
from tests.factories.providers import ClinicFactory

NO_DIGEST = bytes(32)


class EMRConnectionFactory(DjangoModelFactory[EMRConnection]):
    """An active connection to a server that nobody runs; see `connection_to` for one that is."""

    class Meta:
        model = EMRConnection

    clinic = factory.SubFactory(ClinicFactory)
    name = factory.Sequence(lambda n: f"Record system {n}")
    source_system = factory.Sequence(lambda n: f"urn:record-system:{n}")
    vendor = Vendor.GENERIC_R4.value
    is_active = True
    base_url = "http://127.0.0.1:9/fhir/r4"
    rate_per_second = 1000.0
    burst = 1000
    timeout_seconds = 5


def connection_to(peer: Peer, clinic: Clinic, **columns: Any) -> EMRConnection:
    """Join a clinic to a peer, which knows its providers, its place and its visit types."""
    defaults: dict[str, Any] = {
        "vendor": peer.vendor.value,
        "base_url": peer.base_url,
        "scheduling_url": peer.scheduling_url,
    }
    if peer.auth:
        secret = peer.authority.client_secret
        defaults |= {
            "auth": (Auth.CLIENT_SECRET if secret else Auth.PRIVATE_KEY).value,
            "client_id": peer.authority.client_id,
            "client_secret": secret,
            "scopes": ["system/Appointment.rs", "system/Patient.rs"],
        }
    connection = EMRConnectionFactory.create(clinic=clinic, **(defaults | columns))
    link_to(connection, clinic, "Location", peer.add_location(name=clinic.name))
    for provider in Provider.objects.filter(clinic=clinic):
        link_provider(connection, peer, provider)
    for visit_type in VisitType.objects.all():
        code_of(connection, visit_type)
    return connection


def link_provider(connection: EMRConnection, peer: Peer, provider: Provider) -> str:
    """Let the peer know a provider; the answer is the id there."""
    remote = peer.add_practitioner(name=provider.name, npi=provider.npi_number or "")
    link_to(connection, provider, "Practitioner", remote)
    return remote


def link_to(
    connection: EMRConnection, row: UUIDModel, resource_type: str, resource_id: str, **columns: Any
) -> EMRLink:
    """Write down that a row of ours is this resource there."""
    return EMRLink.objects.create(
        source_system=connection.source_system,
        resource_type=resource_type,
        resource_id=resource_id,
        local_model=row._meta.label_lower,
        local_id=row.pk,
        digest=NO_DIGEST,
        **columns,
    )


def code_of(
    connection: EMRConnection, visit_type: VisitType, code: tuple[str, str] = SERVICE
) -> EMRCode:
    """Write down what a visit type is called there."""
    system, word = code
    return EMRCode.objects.create(
        connection=connection, visit_type=visit_type, system=system, code=word
    )
