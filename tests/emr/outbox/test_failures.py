"""A record system in trouble: what it surely did not take is tried again, what it may have taken
is looked for first, and what it will never take waits for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from emr import tasks
from emr.kinds import Source, State, Why
from emr.models import (
    ConnectionState,
    EMRConnection,
    EMRLink,
    InboundMessage,
    OutboundMessage,
)
from emr.outbox.outcomes import LONGEST_WAIT, wait_before
from patients.models import AuditEntry
from patients.models.audit import Act, Outcome
from scheduling import booking
from scheduling.models import Appointment
from tests.emr.outbox.scene import DAY, HOUR, MINUTE, Scene, scene_at
from tests.emr.peers import Fault, generic_peer
from tests.factories import someone_at_the_desk

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full waits, so that a test knows when the next try is due."""
    monkeypatch.setattr("emr.outbox.outcomes.random.random", lambda: 1.0)


@pytest.fixture(params=["generic", "generic_plain", "oracle", "epic"])
def scene(request: pytest.FixtureRequest, provider: Any, visit_type: Any) -> Any:
    """Every vendor, and plain R4 without conditional create."""
    if request.param == "generic_plain":
        with generic_peer(conditional_create=False) as peer:
            yield scene_at(peer, provider, visit_type)
        return
    yield scene_at(request.getfixturevalue(request.param), provider, visit_type)


def creating(scene: Scene) -> tuple[str, str]:
    """Return the request by which a visit is made there."""
    return ("POST", "$book" if scene.connection.vendor == "EPIC" else "Appointment")


def test_a_lost_answer_is_looked_for_and_nothing_is_made_twice(scene: Scene) -> None:
    scene.book()
    scene.peer.fail(Fault.RESET_AFTER_STORE, on=creating(scene))
    assert scene.push()["unknown"] == 1
    assert len(scene.remote) == 1
    row = scene.message()
    assert (row.state, row.attempts) == (State.UNKNOWN, 1)
    scene.push_for(5 * MINUTE)
    assert scene.states == {State.DONE: 1}
    [there] = scene.remote
    assert EMRLink.objects.get(resource_type="Appointment").resource_id == there["id"]


def test_what_was_ended_there_before_it_was_found_is_read_again(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.peer.fail(Fault.RESET_AFTER_STORE, on=creating(at_generic))
    at_generic.push()
    [there] = at_generic.remote
    at_generic.peer.store.update({**there, "status": "cancelled"}, resource_id=there["id"])
    at_generic.push_for(5 * MINUTE)
    assert len(at_generic.remote) == 1
    arrived = InboundMessage.objects.get(resource_id=there["id"])
    assert arrived.source == "RECONCILE"
    tasks.take_in()
    visit.refresh_from_db()
    assert visit.status == "CANCELLED"
    at_generic.push_for(5 * MINUTE)
    assert at_generic.remote[0]["status"] == "cancelled"
    assert not OutboundMessage.objects.exclude(state__in=["DONE", "SKIPPED"]).exists()


def test_a_request_that_never_arrived_is_made_once(scene: Scene) -> None:
    scene.book()
    scene.peer.fail(Fault.RESET_BEFORE, on=creating(scene))
    scene.push()
    assert scene.remote == []
    scene.push_for(5 * MINUTE)
    assert scene.states == {State.DONE: 1}
    assert len(scene.remote) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.STATUS(500),
        Fault.STATUS(503),
        Fault.HTML_502,
        Fault.TRUNCATED,
        Fault.HANG(3, stores=True),
        Fault.HANG(3),
    ],
    ids=lambda fault: f"{fault.how}-{fault.status}-{fault.stores}",
)
def test_whatever_befalls_a_booking_it_is_there_once(at_generic: Scene, fault: Fault) -> None:
    at_generic.book()
    at_generic.peer.fail(fault)
    at_generic.push()
    at_generic.push_for(10 * MINUTE)
    assert at_generic.states == {State.DONE: 1}
    assert len(at_generic.remote) == 1


def test_what_is_unknown_stays_so_while_it_cannot_be_looked_for(at_generic: Scene) -> None:
    at_generic.book()
    at_generic.peer.fail(Fault.RESET_AFTER_STORE)
    at_generic.push()
    at_generic.peer.fail(Fault.STATUS(503), times=3, on=("GET", "Appointment"))
    at_generic.push(later=2 * MINUTE)
    assert at_generic.states == {State.UNKNOWN: 1}
    at_generic.push_for(30 * MINUTE)
    assert at_generic.states == {State.DONE: 1}
    assert len(at_generic.peer.calls_to("POST", "Appointment")) == 1


@pytest.mark.parametrize("status", [408, 500, 503])
def test_a_change_that_fails_waits_longer_each_time(at_generic: Scene, status: int) -> None:
    visit = at_generic.book()
    at_generic.push()
    confirm(visit)
    at_generic.peer.fail(Fault.STATUS(status), times=2, on=("PUT", "Appointment"))
    waits = []
    for later in (timedelta(), 2 * MINUTE):
        before = timezone.now() + later
        assert at_generic.push(later=later)["later"] == 1
        waits.append(round((at_generic.message().not_before - before) / SECOND))
    assert waits == [5, 10]
    at_generic.push(later=10 * MINUTE)
    assert at_generic.states == {State.DONE: 2}


def test_the_waits_are_spread_and_end_at_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [round(wait_before(n) / SECOND) for n in (1, 2, 3, 10)] == [5, 10, 20, 2560]
    assert wait_before(30) == LONGEST_WAIT
    assert wait_before(1, after=HOUR) == HOUR
    monkeypatch.setattr("emr.outbox.outcomes.random.random", lambda: 0.0)
    assert wait_before(30) == SECOND


def confirm(visit: Appointment) -> Appointment:
    visit = Appointment.objects.get(pk=visit.pk)
    return booking.confirm(appointment=visit, by=someone_at_the_desk(), now=timezone.now())


@pytest.mark.parametrize("as_date", [False, True])
def test_too_many_requests_leave_the_connection_alone_for_as_long_as_it_says(
    at_generic: Scene, as_date: bool
) -> None:
    at_generic.book()
    at_generic.book(half_hour=4)
    after = timezone.now() + 2 * MINUTE if as_date else 2 * MINUTE
    at_generic.peer.fail(Fault.RATE_LIMIT(after=after))
    at_generic.push()
    posts = at_generic.peer.calls_to("POST", "Appointment")
    assert len(posts) == 1
    assert at_generic.push(later=MINUTE) == {}
    assert at_generic.message(attempts=1).not_before >= timezone.now() + MINUTE
    at_generic.push_for(5 * MINUTE)
    assert at_generic.states == {State.DONE: 2}


def test_wrong_credentials_pause_the_connection_and_are_held_against_no_message(
    at_generic: Scene,
) -> None:
    at_generic.book()
    at_generic.peer.fail(Fault.UNAUTHORIZED, times=9, on=("*", "*"))
    at_generic.push()
    row = at_generic.message()
    assert (row.state, row.why) == (State.QUEUED, Why.UNAUTHORIZED)
    state = ConnectionState.objects.get()
    assert state.open_until is not None
    assert state.last_failure.startswith("Unauthorized")
    assert at_generic.push(later=MINUTE) == {}
    OutboundMessage.objects.update(attempts=50, created_at=timezone.now() - 2 * DAY)
    at_generic.push(later=HOUR)
    assert at_generic.states == {State.QUEUED: 1}
    at_generic.peer.be_well()
    at_generic.push(later=3 * HOUR)
    assert at_generic.states == {State.DONE: 1}


@pytest.mark.parametrize("status", [400, 403, 404, 405, 415, 422])
def test_what_is_refused_for_good_is_dead_at_the_first_try(at_generic: Scene, status: int) -> None:
    visit = at_generic.book()
    at_generic.peer.fail(Fault.STATUS(status))
    assert at_generic.push()["dead"] == 1
    row = at_generic.message()
    assert (row.state, row.why, row.attempts) == (State.DEAD, Why.REFUSED, 1)
    assert row.codes
    assert row.done_at is not None
    failed = AuditEntry.objects.get(action=Act.SEND, outcome=Outcome.FAILED)
    assert failed.patient_ids == [visit.patient_id]


def test_an_empty_406_is_refused_for_good(at_generic: Scene) -> None:
    at_generic.book()
    at_generic.peer.fail(Fault.EMPTY_406)
    assert at_generic.push()["dead"] == 1


def test_no_open_slot_there_is_for_the_staff(at_oracle: Scene) -> None:
    at_oracle.book()
    for slot in at_oracle.peer.store.all("Slot"):
        at_oracle.peer.change("Slot", slot["id"], status="busy")
    assert at_oracle.push()["dead"] == 1
    assert at_oracle.message().why == Why.NO_SLOT


def test_a_later_message_that_arrives_settles_the_one_that_failed(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.peer.fail(Fault.STATUS(422))
    at_generic.push()
    confirm(visit)
    at_generic.push()
    assert at_generic.states == {State.SKIPPED: 1, State.DONE: 1}
    assert at_generic.message(state="SKIPPED").why == Why.SUPERSEDED
    assert len(at_generic.remote) == 1


@pytest.mark.parametrize("status", [409, 412])
def test_a_stale_version_has_it_read_again_and_waits(
    provider: Any, visit_type: Any, status: int
) -> None:
    with generic_peer(stale_status=status) as peer:
        scene = scene_at(peer, provider, visit_type)
        visit = scene.book()
        scene.push()
        link = EMRLink.objects.get(resource_type="Appointment")
        peer.change("Appointment", link.resource_id, comment="called")
        confirm(visit)
        assert scene.push()["later"] == 1
        row = scene.message()
        assert (row.state, row.why) == (State.QUEUED, Why.CONFLICT)
        told = InboundMessage.objects.get(source=Source.RECONCILE.value)
        assert (told.resource_type, told.resource_id) == ("Appointment", link.resource_id)
        # What reading it again does, the inbox's tests show: both agree on the newer version.
        version = peer.store.read("Appointment", link.resource_id)["meta"]["versionId"]
        EMRLink.objects.filter(pk=link.pk).update(version_id=version)
        scene.push(later=MINUTE)
        assert scene.states == {State.DONE: 2}
        assert peer.appointments[0]["comment"] == "called"


@pytest.mark.parametrize("status", [409, 412])
def test_stale_in_the_very_moment_of_writing(at_generic: Scene, status: int) -> None:
    visit = at_generic.book()
    at_generic.push()
    confirm(visit)
    at_generic.peer.fail(Fault.STALE(status), on=("PUT", "Appointment"))
    assert at_generic.push()["later"] == 1
    assert at_generic.message().why == Why.CONFLICT
    at_generic.push(later=MINUTE)
    assert at_generic.states == {State.DONE: 2}


def test_an_appointment_that_is_gone_there_is_read_again_and_for_the_staff(
    at_generic: Scene,
) -> None:
    visit = at_generic.book()
    at_generic.push()
    at_generic.peer.fail(Fault.STATUS(410), on=("GET", "Appointment"))
    confirm(visit)
    assert at_generic.push()["dead"] == 1
    assert InboundMessage.objects.filter(source=Source.RECONCILE.value).count() == 1


def test_being_edited_there_it_comes_back_soon(at_oracle: Scene) -> None:
    visit = at_oracle.book()
    at_oracle.push()
    [there] = at_oracle.remote
    at_oracle.peer.locked.add(there["id"])
    booking.check_in(
        appointment=Appointment.objects.get(pk=visit.pk),
        by=someone_at_the_desk(),
        now=timezone.now(),
    )
    assert at_oracle.push()["later"] == 1
    at_oracle.peer.locked.clear()
    at_oracle.push(later=5 * MINUTE)
    assert at_oracle.remote[0]["status"] in {"arrived", "checked-in"}


def test_nobody_is_troubled_for_a_day_and_then_somebody_is(at_generic: Scene) -> None:
    at_generic.book()
    at_generic.push()
    confirm(Appointment.objects.get())
    OutboundMessage.objects.filter(act="CONFIRM").update(attempts=20)
    at_generic.peer.fail(Fault.STATUS(503), times=99, on=("PUT", "Appointment"))
    at_generic.push()
    assert at_generic.message(act="CONFIRM").state == State.QUEUED
    OutboundMessage.objects.filter(act="CONFIRM").update(created_at=timezone.now() - DAY)
    at_generic.push(later=2 * HOUR)
    row = at_generic.message(act="CONFIRM")
    assert (row.state, row.why) == (State.DEAD, Why.TOO_OFTEN)


def test_what_nobody_foresaw_counts_as_perhaps_sent(
    at_generic: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_generic.book()

    def broken(*_args: Any, **_more: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("emr.drivers.generic.GenericR4._made", broken)
        assert at_generic.push()["unknown"] == 1
    assert len(at_generic.remote) == 1
    at_generic.push_for(5 * MINUTE)
    assert at_generic.states == {State.DONE: 1}
    assert len(at_generic.remote) == 1


def test_a_fault_before_anything_was_sent_is_counted_and_put_off(
    at_generic: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_generic.book()

    def broken(*_args: Any, **_more: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("emr.outbox.telling.visit_of", broken)
        assert at_generic.push()["unknown"] == 1
    row = at_generic.message()
    assert (row.attempts, row.codes, row.sending_at) == (1, ["ZeroDivisionError"], None)
    at_generic.push(later=5 * MINUTE)
    assert at_generic.states == {State.DONE: 1}


def test_a_system_that_cannot_even_be_opened_is_left_alone_and_the_message_waits(
    at_generic: Scene,
) -> None:
    EMRConnection.objects.update(base_url="http://127.0.0.1:9/fhir/r4")
    at_generic.book()
    assert at_generic.push()["later"] == 1
    assert at_generic.message().attempts == 1
    assert ConnectionState.objects.get().failures == 1
