"""Opens a connection: the driver of its vendor, with an address, credentials and a rate of its own.

The one place where drivers meet our rows. A server is asked what it can before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from emr.drivers.asking import Asker
from emr.drivers.base import Driver
from emr.drivers.epic import EpicScheduling
from emr.drivers.generic import GenericR4
from emr.drivers.hl7v2 import HL7v2SIU
from emr.drivers.oracle import OracleMillennium
from emr.failures import TryLater
from emr.kinds import Vendor
from emr.models import EMRConnection, EMRLink
from emr.profiles import PROFILES
from emr.smart import discovery, tokens
from emr.transport import TokenSource, Transport
from scheduling.models import Appointment


@contextmanager
def opened(connection: EMRConnection) -> Iterator[Driver]:
    """Open a driver and close it afterwards. Raises as `open_driver` does."""
    driver = open_driver(connection)
    try:
        yield driver
    finally:
        driver.close()


@contextmanager
def asking(connection: EMRConnection) -> Iterator[Asker]:
    """Open a FHIR server for what no driver has a verb for, and close it afterwards."""
    asker = _asker(connection)
    try:
        yield asker
    finally:
        asker.close()


def open_driver(connection: EMRConnection) -> Driver:
    """Return the driver of a connection. A server that has not yet said what it can is asked now.

    Raises the kinds of EMRError: TryLater where it does not answer, Refused where it is no R4.
    """
    return _OPENERS[Vendor(connection.vendor)](connection)


def _generic(connection: EMRConnection) -> Driver:
    return GenericR4(_asker(connection), capability=_capability(connection))


def _oracle(connection: EMRConnection) -> Driver:
    return OracleMillennium(
        _asker(connection),
        capability=_capability(connection),
        practitioners=lambda start, end: practitioners_in(connection, start, end),
    )


def _epic(connection: EMRConnection) -> Driver:
    address = connection.scheduling_url
    return EpicScheduling(
        _asker(connection),
        scheduling=_asker(connection, address=address) if address else None,
        capability=_capability(connection),
        patients=lambda start, end: patients_in(connection, start, end),
    )


_OPENERS: Mapping[Vendor, Callable[[EMRConnection], Driver]] = {
    Vendor.GENERIC_R4: _generic,
    Vendor.ORACLE: _oracle,
    Vendor.EPIC: _epic,
    Vendor.HL7V2: HL7v2SIU,
}


def _asker(connection: EMRConnection, *, address: str = "") -> Asker:
    source: TokenSource = tokens.source(connection)
    transport = Transport(
        address or connection.base_url, timeout=connection.timeout_seconds, tokens=source
    )
    return Asker(connection, transport, PROFILES[Vendor(connection.vendor)])


def _capability(connection: EMRConnection) -> Mapping[str, Any]:
    known: Mapping[str, Any] = discovery.capability(connection)
    if not known:
        raise TryLater("no-capability")
    return known


def practitioners_in(connection: EMRConnection, _start: datetime, _end: datetime) -> Sequence[str]:
    """Return the ids there of the clinic's linked providers."""
    links = _links(connection, "Practitioner").filter(
        local_id__in=connection.clinic.providers.values("pk")
    )
    return list(links.values_list("resource_id", flat=True))


def patients_in(connection: EMRConnection, start: datetime, end: datetime) -> Sequence[str]:
    """Return the ids there of the linked patients whose visits with us start in [start, end)."""
    visits = Appointment.objects.filter(
        clinic=connection.clinic, scheduled_start__gte=start, scheduled_start__lt=end
    )
    links = _links(connection, "Patient").filter(local_id__in=visits.values("patient"))
    return list(links.values_list("resource_id", flat=True))


def _links(connection: EMRConnection, resource_type: str) -> Any:
    return EMRLink.objects.filter(
        source_system=connection.source_system, resource_type=resource_type, ended_at=None
    )
