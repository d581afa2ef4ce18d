"""Several threads, several systems: each message once, in order, and none waits for a dead one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.utils import timezone

from emr import tasks
from emr.kinds import State
from emr.models import EMRConnection, OutboundMessage
from emr.outbox import pushing
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.models import Appointment
from tests.emr.outbox.scene import MINUTE, Scene, scene_at
from tests.emr.peers import Fault, generic_peer
from tests.factories import PatientFactory, ProviderFactory, someone_at_the_desk
from tests.factories.emr import link_to
from tests.reminders.faults.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _jobs_wait(jobs_wait: None) -> None:
    """Nobody but the test tells anything."""
    cache.clear()


@pytest.fixture
def two(provider: Provider, visit_type: VisitType) -> Iterator[tuple[Scene, Scene]]:
    """Two clinics, each with a system of its own."""
    other = ProviderFactory.create(working=True)
    with generic_peer() as one, generic_peer() as another:
        yield (
            scene_at(one, provider, visit_type, workers=2, timeout_seconds=30),
            scene_at(another, other, visit_type, workers=2),
        )


def test_a_system_that_hangs_keeps_no_other_waiting(two: tuple[Scene, Scene]) -> None:
    """The one says nothing for half a minute; meanwhile the other is told everything."""
    hanging, well = two
    hanging.peer.fail(Fault.HANG(30), times=99, on=("POST", "*"))
    for half_hour in (0, 2, 4, 6):
        hanging.book(half_hour=half_hour)
        well.book(half_hour=half_hour)
    thread = Thread(target=_push_all)
    thread.start()
    wait_for(lambda: well.states == {State.DONE: 4})
    wait_for(lambda: hanging.states[State.SENDING] >= 2)  # one is on its way
    assert thread.is_alive()
    assert hanging.remote == []
    assert hanging.states[State.SENDING] == 2
    hanging.peer._server.ended.set()  # it hangs up
    thread.join(60)
    assert not thread.is_alive()
    hanging.peer.be_well()
    hanging.peer._server.ended.clear()
    hanging.push_for(5 * MINUTE)
    assert hanging.states == {State.DONE: 4}
    assert len(hanging.remote) == 4


def _push_all() -> None:
    try:
        pushing.push()
    finally:
        connections.close_all()


def test_of_one_visit_everything_goes_in_order_under_four_threads(
    provider: Provider, visit_type: VisitType
) -> None:
    """Each move is told while the next is made; what they have at the end is the last."""
    with generic_peer() as peer:
        peer.latency = 0.01
        scene = scene_at(peer, provider, visit_type, workers=4)
        visits = [scene.book(half_hour=n) for n in (0, 6)]
        days = timedelta(days=1)
        for turn in range(1, 6):
            pushers = [Thread(target=_push_all) for _pusher in range(2)]
            for pusher in pushers:
                pusher.start()
            for visit in visits:
                booking.reschedule(
                    appointment=Appointment.objects.get(pk=visit.pk),
                    start=visit.scheduled_start + turn % 4 * days,
                    by=someone_at_the_desk(),
                    now=timezone.now(),
                )
            for pusher in pushers:
                pusher.join(60)
        scene.push_for(10 * MINUTE)
        assert len(peer.appointments) == 2
        for visit in visits:
            mark = f"urn:uuid:{visit.pk}"
            [there] = [one for one in peer.appointments if one["identifier"][0]["value"] == mark]
            now = Appointment.objects.get(pk=visit.pk)
            assert there["start"] == f"{now.scheduled_start:%Y-%m-%dT%H:%M:%S}Z"
        done = OutboundMessage.objects.filter(state=State.DONE.value).order_by("done_at", "version")
        for visit in visits:
            versions = [row.version for row in done if row.appointment_id == visit.pk]
            assert versions == sorted(versions)
        assert scene.states.keys() <= {State.DONE, State.SKIPPED}


def test_what_takes_longer_than_a_run_goes_on_in_another(
    provider: Provider, visit_type: VisitType, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks, "async_task", lambda *args: called.append(args))
    with generic_peer() as peer:
        scene = scene_at(peer, provider, visit_type)
        for half_hour in (0, 2):
            scene.book(half_hour=half_hour)
        monkeypatch.setattr(pushing, "monotonic", iter([0.0, 1.0, 99.0, 99.0]).__next__)
        assert tasks.push(str(scene.connection.pk)) == {"sent": 1, "unfinished": 1}
        assert called == [("emr.tasks.push", str(scene.connection.pk))]
        monkeypatch.undo()
        assert tasks.push() == {"sent": 1, "unfinished": 0}


def test_a_system_that_is_switched_off_is_told_nothing(
    provider: Provider, visit_type: VisitType
) -> None:
    with generic_peer() as peer:
        scene = scene_at(peer, provider, visit_type)
        scene.book()
        EMRConnection.objects.update(is_active=False)
        assert pushing.push() == {}
        assert peer.calls == []
        EMRConnection.objects.update(is_active=True)
        assert pushing.push() == {"sent": 1, "unfinished": 0}


def test_a_booking_is_told_by_the_queue_as_soon_as_it_is_made(
    provider: Provider, visit_type: VisitType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs run at once here: what the booking called for has been done when it returns."""
    monkeypatch.setattr("django_q.conf.Conf.SYNC", True)
    with generic_peer() as peer:
        scene = scene_at(peer, provider, visit_type)
        patient = PatientFactory.create(clinic=provider.clinic)
        link_to(scene.connection, patient, "Patient", peer.add_patient())
        scene.book(patient)
        assert len(peer.appointments) == 1
        assert scene.states == {State.DONE: 1}
