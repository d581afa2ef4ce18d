"""A worker is killed while it tells a record system of a visit: there is one appointment there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from emr.kinds import State, Vendor
from emr.models import EMRConnection, EMRLink
from patients.models import Patient
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.emr.mllp.line_peers import LinePeer, line_peer
from tests.emr.outbox.faults.processes import kill_at
from tests.emr.outbox.faults.worker import STEPS
from tests.emr.outbox.scene import HOUR, MINUTE, Scene, begun, cancel, scene_at
from tests.emr.peers import epic_peer, generic_peer, oracle_peer
from tests.factories import PatientFactory, at, next_monday, someone_at_the_desk
from tests.factories.emr import EMRConnectionFactory, link_to

pytestmark = pytest.mark.django_db(transaction=True)
SAID = ["after their answer", "before the link", "before the commit"]
PEERS = {
    "generic": generic_peer,
    "generic without conditional create": lambda: generic_peer(conditional_create=False),
    "oracle": oracle_peer,
    "epic": epic_peer,
}


@pytest.fixture(autouse=True)
def _jobs_wait(jobs_wait: None) -> None:
    """Nobody but the workers of the test tells anything."""


@pytest.fixture(params=list(PEERS))
def scene(
    request: pytest.FixtureRequest, provider: Provider, visit_type: VisitType
) -> Iterator[Scene]:
    with PEERS[request.param]() as peer:
        yield scene_at(peer, provider, visit_type)


def system(scene: Scene) -> str:
    return str(scene.connection.pk)


def live(scene: Scene) -> list[dict[str, Any]]:
    return [there for there in scene.remote if there["status"] != "cancelled"]


def complete(visit: Appointment) -> None:
    """Close a visit an hour ago, so that it cannot be undone any more."""
    booking.complete(
        appointment=begun(visit, ago=2 * HOUR),
        by=someone_at_the_desk(),
        now=timezone.now() - HOUR,
    )


@pytest.mark.parametrize("step", SAID)
def test_killed_between_their_201_and_our_commit(scene: Scene, step: str) -> None:
    visit = scene.book()
    kill_at(step, system(scene))
    assert len(scene.remote) == 1
    assert scene.states == {State.SENDING: 1}
    assert not EMRLink.objects.filter(resource_type="Appointment").exists()
    scene.push_for(5 * MINUTE)
    [there] = scene.remote
    assert scene.states == {State.DONE: 1}
    link = EMRLink.objects.get(resource_type="Appointment")
    assert (link.resource_id, link.local_id) == (there["id"], visit.pk)


@pytest.mark.parametrize("step", [step for step in STEPS if step not in SAID])
def test_killed_before_anything_was_said(
    provider: Provider, visit_type: VisitType, step: str
) -> None:
    with generic_peer(conditional_create=False) as peer:
        scene = scene_at(peer, provider, visit_type)
        scene.book()
        kill_at(step, system(scene))
        assert scene.remote == []
        scene.push_for(5 * MINUTE)
        assert len(scene.remote) == 1
        assert scene.states == {State.DONE: 1}


@pytest.mark.parametrize("peer", [generic_peer, oracle_peer])
def test_killed_when_a_move_was_taken(provider: Provider, visit_type: VisitType, peer: Any) -> None:
    with peer() as running:
        scene = scene_at(running, provider, visit_type)
        visit = scene.book()
        scene.push()
        if scene.connection.vendor != Vendor.GENERIC_R4:
            scene.free(2)
        moved = booking.reschedule(
            appointment=Appointment.objects.get(pk=visit.pk),
            start=visit.scheduled_start + HOUR,
            by=someone_at_the_desk(),
            now=timezone.now(),
        )
        kill_at("after their answer", system(scene))
        scene.push_for(5 * MINUTE)
        [there] = live(scene)
        assert there["start"] == f"{moved.scheduled_start:%Y-%m-%dT%H:%M:%S}Z"
        assert scene.states == {State.DONE: 2}


def test_killed_between_two_steps_of_one_message(provider: Provider, visit_type: VisitType) -> None:
    """The visit was done before they ever heard of it: it is booked there and then done, once."""
    with generic_peer(conditional_create=False) as peer:
        scene = scene_at(peer, provider, visit_type)
        complete(scene.book())
        kill_at("after their answer", system(scene))
        scene.push_for(5 * MINUTE)
        [there] = scene.remote
        assert there["status"] == "fulfilled"
        assert len(scene.peer.store.all("DocumentReference")) == 1


def test_killed_when_a_note_was_taken(provider: Provider, visit_type: VisitType) -> None:
    with generic_peer() as peer:
        scene = scene_at(peer, provider, visit_type)
        visit = scene.book()
        scene.push()
        complete(visit)
        kill_at("before the link", system(scene))  # the visit's own is there already
        assert len(scene.peer.store.all("DocumentReference")) == 1
        scene.push_for(10 * MINUTE)
        assert len(scene.peer.store.all("DocumentReference")) == 1
        assert scene.states == {State.DONE: 3}


@pytest.fixture
def listener() -> Iterator[LinePeer]:
    with line_peer() as peer:
        yield peer


@pytest.fixture
def by_hl7(provider: Provider, visit_type: VisitType, listener: LinePeer) -> Scene:
    connection: EMRConnection = EMRConnectionFactory.create(
        clinic=provider.clinic,
        vendor=Vendor.HL7V2.value,
        base_url="",
        hl7_host="127.0.0.1",
        hl7_port=listener.port,
        hl7_tls=False,
        creates_patients=True,
        workers=1,
    )
    return Scene(listener, connection, provider, visit_type)  # type: ignore[arg-type]


@pytest.fixture
def told_patient(by_hl7: Scene) -> Patient:
    """Somebody who is known by our own number."""
    patient = PatientFactory.create(clinic=by_hl7.clinic)
    link_to(by_hl7.connection, patient, "Patient", patient.pk.hex)
    return patient


def book(scene: Scene, patient: Patient) -> Appointment:
    return booking.book(
        patient=patient,
        provider=scene.provider,
        clinic=scene.clinic,
        visit_type=scene.visit_type,
        start=at(next_monday(), "09:00"),
        by=someone_at_the_desk(),
        now=timezone.now(),
    )


def events(listener: LinePeer) -> list[str]:
    return [text.split("|")[8] for text in listener.heard]


def test_killed_when_an_hl7_message_was_acknowledged(
    by_hl7: Scene, told_patient: Patient, listener: LinePeer
) -> None:
    """It is sent again under the number by which they know it: one booking, heard twice."""
    visit = book(by_hl7, told_patient)
    kill_at("after their answer", system(by_hl7))
    by_hl7.push_for(5 * MINUTE)
    assert len(listener.heard) == 2
    assert len(set(listener.control_ids)) == 1
    assert all(f"SCH|{visit.pk.hex}" in text for text in listener.heard)
    assert by_hl7.states == {State.DONE: 1}


def test_killed_and_then_cancelled_it_is_cancelled_there_too(
    by_hl7: Scene, told_patient: Patient, listener: LinePeer
) -> None:
    """They may have it, and cannot be asked: it is told again, and then that it is off."""
    visit = book(by_hl7, told_patient)
    kill_at("after their answer", system(by_hl7))
    cancel(visit, by=Actor.patient())
    by_hl7.push_for(5 * MINUTE)
    assert [event.split("^")[1] for event in events(listener)] == ["S12", "S12", "S15"]
    assert len(set(listener.control_ids)) == 2
