"""Notifications of one resource that come all at once, and one that overtakes our own message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Lock
from time import sleep
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from emr import arrivals
from emr.inbox import claims, taking, visits
from emr.kinds import Arrival, Source, State
from emr.models import EMRConnection, EMRLink, InboundMessage, OutboundMessage
from emr.outbox import pushing
from emr.transport import Transport
from emr.visits import Told
from scheduling.models import Appointment
from tests.emr.peers import Fault, Peer, generic_peer
from tests.factories.emr import connection_to, link_to
from tests.races.crew import Crew
from tests.races.stage import Stage, won

pytestmark = pytest.mark.race
SECRET = "a secret of the clinic's own"
CROWD = 20
# What anybody would write first: whatever is waiting, whoever else is at the same resource.
NAIVE = """
UPDATE emr_inboundmessage SET state = 'CLAIMED', fence = fence + 1, attempts = attempts + 1,
    lease_until = %(lease_until)s
WHERE id IN (SELECT id FROM emr_inboundmessage
    WHERE connection_id = %(connection)s AND state = 'RECEIVED' AND not_before <= %(now)s
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *
"""


@dataclass
class Scene:
    """A clinic joined to a record system that knows one provider and one patient of it."""

    stage: Stage
    peer: Peer
    connection: EMRConnection
    patient: str
    provider: str
    most_at_once: int = 0
    now_taking: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self) -> str:
        start = self.stage.fresh_hour()
        return self.peer.add_appointment(
            start=start, patient=self.patient, practitioner=self.provider, minutes=10
        )

    def notify(self, remote: str, version: str = "") -> int:
        meta = {"meta": {"versionId": version}} if version else {}
        body = json.dumps({"resourceType": "Appointment", "id": remote} | meta)
        url = reverse("emr_hooks:notified", args=[self.connection.pk])
        shown = {"Authorization": f"Bearer {SECRET}"}
        answer = Client().post(url, body, content_type="application/fhir+json", headers=shown)
        return answer.status_code

    def notify_and_take(self, remote: str, version: str = "") -> int:
        status = self.notify(remote, version)
        taking.take_in()
        return status

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Count how many take something of the resource at the same time."""
        with self.lock:
            self.now_taking += 1
            self.most_at_once = max(self.most_at_once, self.now_taking)
        try:
            sleep(0.02)
            yield
        finally:
            with self.lock:
                self.now_taking -= 1


@pytest.fixture
def scene(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    with generic_peer() as peer:
        connection = connection_to(peer, stage.clinic, hook_secret=SECRET)
        patient = peer.add_patient()
        link_to(connection, stage.patients[0], "Patient", patient)
        link = EMRLink.objects.get(local_id=stage.provider.pk)
        made = Scene(stage, peer, connection, patient, link.resource_id)
        take = visits.take

        def watched(*args: Any, **more: Any) -> Any:
            with made.watched():
                return take(*args, **more)

        monkeypatch.setattr(visits, "take", watched)
        yield made


def settle() -> None:
    """Take what is left, as the worker's next rounds do."""
    for _round in range(5):
        InboundMessage.objects.filter(state=Arrival.RECEIVED).update(not_before="2020-01-01 00:00Z")
        taking.take_in()


def kinds_of(visit: Appointment) -> list[str]:
    return list(visit.events.values_list("kind", flat=True))


@pytest.mark.parametrize("version", ["1", ""])
def test_twenty_notifications_of_a_new_visit_book_it_once(scene: Scene, version: str) -> None:
    remote = scene.add()
    with Crew(CROWD) as crew:
        answers = won(crew.race([partial(scene.notify_and_take, remote, version)] * CROWD))
    settle()
    assert answers == [200] * CROWD
    assert kinds_of(Appointment.objects.get()) == ["BOOK"]
    assert scene.most_at_once == 1
    assert not InboundMessage.objects.exclude(state__in=["DONE", "IGNORED"]).exists()
    if version:
        assert InboundMessage.objects.count() == 1


def test_twenty_notifications_of_a_move_move_it_once(scene: Scene) -> None:
    remote = scene.add()
    scene.notify_and_take(remote, "1")
    later = scene.stage.fresh_hour()
    times = {"start": later.isoformat(), "end": (later + timedelta(minutes=10)).isoformat()}
    scene.peer.change("Appointment", remote, **times)
    with Crew(CROWD) as crew:
        won(crew.race([partial(scene.notify_and_take, remote)] * CROWD))
    settle()
    visit = Appointment.objects.get()
    assert (visit.scheduled_start, visit.sequence) == (later, 1)
    assert kinds_of(visit) == ["BOOK", "MOVE"]


def test_without_the_claim_by_resource_several_take_it_at_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: then they do meet. That one visit comes of it is the database's doing."""
    monkeypatch.setattr(claims, "CLAIM", NAIVE)
    monkeypatch.setattr(claims, "cover", lambda *_args, **_more: 0)
    monkeypatch.setattr("emr.inbox.hooks._is_waiting", lambda *_args: False)
    remote = scene.add()
    for _notification in range(8):
        scene.notify(remote)
    with Crew(8) as crew:
        won(crew.race([taking.take_in] * 8))
    settle()
    assert scene.most_at_once > 1
    assert kinds_of(Appointment.objects.get()) == ["BOOK"]


@contextmanager
def told_before_the_answer(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let the notification of our own create come, and be looked at, before we have its answer."""
    ask, told = Transport.request, []

    def request(self: Transport, method: str, path: str, **more: Any) -> Any:
        reply = ask(self, method, path, **more)
        if (method, path) == ("POST", "Appointment"):
            remote = scene.peer.appointments[-1]["id"]
            with ThreadPoolExecutor(1) as elsewhere:
                elsewhere.submit(_elsewhere, scene, remote).result()
            told.append(InboundMessage.objects.get().state)
        return reply

    with monkeypatch.context() as patched:
        patched.setattr(Transport, "request", request)
        yield told


def _elsewhere(scene: Scene, remote: str) -> None:
    try:
        scene.notify_and_take(remote, "1")
    finally:
        connections.close_all()


def test_the_notification_of_our_own_visit_may_overtake_our_commit(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = scene.stage.book(scene.stage.fresh_hour())
    with told_before_the_answer(scene, monkeypatch) as told:
        pushing.push(str(scene.connection.pk))
    assert told == [Arrival.RECEIVED]
    settle()
    assert Appointment.objects.get() == visit
    assert len(scene.peer.appointments) == 1
    assert OutboundMessage.objects.get().state == State.DONE
    assert InboundMessage.objects.get().state == Arrival.IGNORED


def test_a_lost_answer_and_its_notification_end_at_one_visit_on_each_side(scene: Scene) -> None:
    visit = scene.stage.book(scene.stage.fresh_hour())
    scene.peer.fail(Fault.RESET_AFTER_STORE)
    pushing.push(str(scene.connection.pk))
    assert OutboundMessage.objects.get().state == State.UNKNOWN
    scene.notify_and_take(scene.peer.appointments[0]["id"], "1")
    OutboundMessage.objects.update(not_before="2020-01-01 00:00Z")
    pushing.push(str(scene.connection.pk))
    settle()
    assert Appointment.objects.get() == visit
    assert len(scene.peer.appointments) == 1
    assert EMRLink.objects.get(resource_type="Appointment").local_id == visit.pk
    assert OutboundMessage.objects.get().state in {State.DONE, State.SKIPPED}


def test_a_record_system_that_does_not_answer_holds_up_no_other(scene: Scene) -> None:
    """Its message is still being taken when that of the other is long done."""
    with generic_peer() as slow:
        silent = connection_to(slow, scene.stage.clinic, timeout_seconds=3)
        slow.fail(Fault.HANG(30), times=9, on=("GET", "Appointment"))
        for connection, remote in ((silent, "a1"), (scene.connection, scene.add())):
            arrivals.receive(
                connection, Told("Appointment", remote), source=Source.HOOK, key=remote
            )
        taking.take_in()
    quick = InboundMessage.objects.get(connection=scene.connection)
    late = InboundMessage.objects.get(connection=silent)
    assert (quick.state, late.state) == (Arrival.DONE, Arrival.RECEIVED)
    assert quick.done_at is not None
    assert quick.done_at < late.not_before
