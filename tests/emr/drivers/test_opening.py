"""Which driver a connection gets, and what has to be known before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emr.drivers.base import Driver
from emr.drivers.epic import EpicScheduling
from emr.drivers.generic import GenericR4
from emr.drivers.opening import opened, patients_in, practitioners_in
from emr.drivers.oracle import OracleMillennium
from emr.failures import EMRError, Refused, TryLater
from emr.models import EMRConnection
from providers.models import Clinic, Provider
from tests.emr.peers import Fault, Peer, generic_peer
from tests.factories.emr import EMRConnectionFactory, connection_to, link_to
from tests.factories.scheduling import AppointmentFactory

pytestmark = pytest.mark.django_db


def kind_of(connection: EMRConnection) -> type[Driver]:
    with opened(connection) as driver:
        return type(driver)


def test_each_vendor_has_its_driver(
    generic: Peer, oracle: Peer, epic: Peer, clinic: Clinic
) -> None:
    kinds = [kind_of(connection_to(peer, clinic)) for peer in (generic, oracle, epic)]
    assert kinds == [GenericR4, OracleMillennium, EpicScheduling]


def test_a_server_is_asked_what_it_can_once(generic: Peer, clinic: Clinic) -> None:
    connection = connection_to(generic, clinic)
    for _turn in range(3):
        kind_of(connection)
    assert len(generic.calls_to("GET", "metadata")) == 1


def test_a_server_that_never_said_what_it_can_is_tried_later(generic: Peer, clinic: Clinic) -> None:
    connection = connection_to(generic, clinic)
    generic.fail(Fault.STATUS(503), on=("GET", "metadata"))
    with pytest.raises(TryLater):
        kind_of(connection)
    assert kind_of(connection) is GenericR4


def test_a_server_of_another_release_is_refused(clinic: Clinic) -> None:
    with generic_peer(fhir_version="5.0.0") as peer, pytest.raises(Refused):
        kind_of(connection_to(peer, clinic))


def test_a_driver_is_closed_though_its_use_failed(generic: Peer, clinic: Clinic) -> None:
    connection = connection_to(generic, clinic)
    closed: list[bool] = []
    with pytest.raises(EMRError), opened(connection) as driver:
        close = driver.close
        driver.close = lambda: closed.append(True) or close()  # type: ignore[method-assign,func-returns-value]
        driver.read("nothing")
    assert closed == [True]


def test_a_plain_address_elsewhere_is_refused(clinic: Clinic) -> None:
    with pytest.raises(Refused):
        kind_of(EMRConnectionFactory.create(clinic=clinic, base_url="http://emr.example/fhir"))


def test_those_looked_through_are_the_linked_ones_of_the_clinic(
    generic: Peer, clinic: Clinic, provider: Provider
) -> None:
    visit = AppointmentFactory.create(provider=provider)
    start = visit.scheduled_start
    connection, other = connection_to(generic, clinic), connection_to(generic, clinic)
    link_to(connection, visit.patient, "Patient", "p1")
    link_to(other, visit.patient, "Patient", "p2")
    (practitioner,) = practitioners_in(connection, start, start)
    assert generic.store.read("Practitioner", practitioner)["name"][0]["text"] == provider.name
    assert patients_in(connection, start, start + timedelta(minutes=1)) == ["p1"]
    assert patients_in(connection, start + timedelta(minutes=1), start + timedelta(days=1)) == []
