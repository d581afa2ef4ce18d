"""OracleMillennium against a server that keeps Millennium's rules and refuses all else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emr.drivers.base import Feature
from emr.failures import BeingEdited, Clash, NoSlot, NotOffered, Refused, Unsure
from emr.visits import Known, Party
from providers.models import Clinic, Provider
from tests.emr.drivers.scenes import (
    HALF_AN_HOUR,
    START,
    Scene,
    books_blindly,
    cancelled,
    known,
    later,
    note_of,
    scene,
)
from tests.emr.peers import Fault, Peer
from tests.factories.emr import link_provider

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def there(oracle: Peer, clinic: Clinic) -> Iterator[Scene]:
    with scene(oracle, clinic) as made:
        yield made


def test_a_visit_is_booked_into_the_slot_at_its_start(there: Scene) -> None:
    remote = there.driver.book(there.visit)
    (call,) = there.peer.calls_to("POST", "Appointment")
    assert call.body == {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{there.slot}"}],
        "participant": [{"actor": {"reference": f"Patient/{there.patient}"}, "status": "accepted"}],
        "reasonCode": [{"text": "A cough"}],
    }
    assert (remote.start, remote.status) == (START, "booked")
    assert remote.provider_ids == (there.practitioner,)
    assert there.there(remote.remote_id)["meta"]["versionId"] == remote.version_id


def test_a_long_reason_is_cut_to_what_is_taken(there: Scene) -> None:
    there.driver.book(replace(there.visit, reason="x" * 400))
    (call,) = there.peer.calls_to("POST", "Appointment")
    assert call.body["reasonCode"] == [{"text": "x" * 255}]


def test_a_booking_stands_though_it_cannot_be_read_afterwards(there: Scene) -> None:
    there.peer.fail(Fault.STATUS(503), on=("GET", "Appointment"))
    remote = there.driver.book(there.visit)
    (made,) = there.peer.appointments
    assert (remote.remote_id, remote.version_id) == (made["id"], made["meta"]["versionId"])
    assert (remote.start, remote.slot_ids) == (START, (there.slot,))


def test_the_slot_of_the_visits_own_length_is_taken(there: Scene) -> None:
    there.peer.change("Slot", there.slot, end="2031-03-03T16:00:00Z")
    fitting = there.slot_at(START)
    assert there.driver.book(there.visit).slot_ids == (fitting,)


def test_slots_are_asked_for_by_type_and_closed_range_and_are_the_providers(there: Scene) -> None:
    other = there.peer.add_practitioner()
    there.peer.add_slot(start=START, practitioner=other)
    there.slot_at(START, service=("https://codes.example/visits", "999"))
    there.slot_at(START + HALF_AN_HOUR)
    assert [slot.remote_id for slot in there.driver.find_slots(there.visit)] == [there.slot]
    (call,) = there.peer.calls_to("GET", "Slot")
    assert call.query["service-type"] == ["https://codes.example/visits|100"]
    assert call.query["start"] == ["ge2031-03-03T15:00:00Z", "lt2031-03-03T15:30:00Z"]


def test_without_a_free_slot_nothing_is_sent(there: Scene) -> None:
    there.peer.change("Slot", there.slot, status="busy")
    with pytest.raises(NoSlot):
        there.driver.book(there.visit)
    with pytest.raises(NoSlot):
        there.driver.book(later(there.visit))
    assert there.peer.calls_to("POST", "Appointment") == []


def test_a_slot_that_was_taken_meanwhile_is_no_slot(there: Scene) -> None:
    there.peer.fail(Fault.STATUS(409))
    with pytest.raises(NoSlot):
        there.driver.book(there.visit)


def test_a_visit_type_without_a_code_there_is_refused(there: Scene) -> None:
    with pytest.raises(Refused) as caught:
        there.driver.book(replace(there.visit, code=None))
    assert caught.value.codes == ("no-code",)


def test_a_booking_whose_answer_is_lost_is_found_and_is_the_only_one(there: Scene) -> None:
    begun = datetime.now(UTC)
    there.peer.fail(Fault.RESET_AFTER_STORE)
    books_blindly(there.driver, there.visit)
    found = there.driver.find(there.visit, since=begun)
    assert found is not None
    assert [one["id"] for one in there.peer.appointments] == [found.remote_id]


def test_a_booking_that_never_arrived_is_not_found(there: Scene) -> None:
    there.peer.fail(Fault.RESET_BEFORE)
    books_blindly(there.driver, there.visit)
    assert there.driver.find(there.visit, since=LONG_AGO) is None
    assert there.driver.find(replace(there.visit, patient=Party()), since=LONG_AGO) is None


def test_a_visit_of_another_time_provider_or_age_is_not_taken_for_ours(there: Scene) -> None:
    begun = datetime.now(UTC)
    other = there.peer.add_practitioner()
    there.peer.add_appointment(start=START, patient=there.patient, practitioner=other)
    there.peer.add_appointment(
        start=START + timedelta(minutes=15), patient=there.patient, practitioner=there.practitioner
    )
    old = there.peer.add_appointment(
        start=START, patient=there.patient, practitioner=there.practitioner
    )
    assert there.driver.find(there.visit, since=begun + timedelta(hours=1)) is None
    found = there.driver.find(there.visit, since=begun)
    assert found is not None
    assert found.remote_id == old


def test_a_cancelled_one_is_ours_only_if_it_says_that_it_was_made_since(there: Scene) -> None:
    columns: dict[str, Any] = {
        "start": START,
        "patient": there.patient,
        "practitioner": there.practitioner,
        "status": "cancelled",
    }
    there.peer.add_appointment(**columns)
    begun = datetime.now(UTC)
    assert there.driver.find(there.visit, since=begun) is None
    new = there.peer.add_appointment(**columns, created=begun.isoformat())
    found = there.driver.find(there.visit, since=begun)
    assert found is not None
    assert found.remote_id == new


def test_an_arrival_and_an_ending_go_by_the_statuses_that_lead_there(there: Scene) -> None:
    remote, at = there.booked()
    arrived = there.driver.arrive(there.visit, at)
    done = there.driver.complete(there.visit, known(arrived))
    patches = there.peer.calls_to("PATCH", remote.remote_id)
    words = [one["value"] for call in patches for one in call.body]
    assert words == ["arrived", "checked-in", "fulfilled"]
    assert done.status == there.there(remote.remote_id)["status"] == "fulfilled"
    assert done.version_id == there.there(remote.remote_id)["meta"]["versionId"]


def test_a_visit_that_nobody_checked_in_is_checked_in_on_the_way(there: Scene) -> None:
    remote, at = there.booked()
    assert there.driver.complete(there.visit, at).status == "fulfilled"
    assert len(there.peer.calls_to("PATCH", remote.remote_id)) == 2


def test_every_patch_names_the_version_it_is_against(there: Scene) -> None:
    remote, at = there.booked()
    there.driver.complete(there.visit, at)
    versions = [call.headers["if-match"] for call in there.peer.calls_to("PATCH", remote.remote_id)]
    first = int(at.version_id)
    assert versions == [f'W/"{first}"', f'W/"{first + 1}"']


def test_a_cancellation_gives_its_reason_and_frees_the_slot(there: Scene) -> None:
    remote, at = there.booked()
    after = there.driver.cancel(cancelled(there.visit), at)
    there_now = there.there(remote.remote_id)
    assert (after.status, there_now["status"]) == ("cancelled", "cancelled")
    assert there_now["cancelationReason"]["coding"][0]["code"] == "pat"
    assert there.peer.store.read("Slot", there.slot)["status"] == "free"


def test_a_move_is_a_new_slot_of_the_same_appointment(there: Scene) -> None:
    remote, at = there.booked()
    slot = there.slot_at(START + timedelta(hours=1))
    moved = there.driver.reschedule(later(there.visit), at)
    (call,) = there.peer.calls_to("PATCH", remote.remote_id)
    assert call.body == [
        {"op": "replace", "path": "/slot", "value": [{"reference": f"Slot/{slot}"}]}
    ]
    assert (moved.remote_id, moved.start) == (remote.remote_id, START + timedelta(hours=1))
    assert there.driver.reschedule(later(there.visit), at) == moved


def test_a_move_to_where_there_is_no_slot_leaves_it_where_it_is(there: Scene) -> None:
    remote, at = there.booked()
    with pytest.raises(NoSlot):
        there.driver.reschedule(later(there.visit), at)
    assert there.driver.read(remote.remote_id).start == START


def test_a_slot_taken_while_moving_is_no_slot_and_a_change_there_is_a_clash(there: Scene) -> None:
    remote, at = there.booked()
    there.slot_at(START + timedelta(hours=1))
    there.peer.fail(Fault.STATUS(409), on=("PATCH", "*"))
    with pytest.raises(NoSlot):
        there.driver.reschedule(later(there.visit), at)
    there.peer.change("Appointment", remote.remote_id, description="Changed there")
    with pytest.raises(Clash):
        there.driver.reschedule(later(there.visit), at)


@pytest.mark.parametrize("status", [409, 412, 424])
def test_what_was_changed_there_first_is_a_clash(there: Scene, status: int) -> None:
    _remote, at = there.booked()
    there.peer.fail(Fault.STALE(status), on=("PATCH", "*"))
    with pytest.raises(Clash):
        there.driver.arrive(there.visit, at)


def test_a_stale_version_is_a_clash_until_it_is_read_again(there: Scene) -> None:
    remote, at = there.booked()
    there.peer.change("Appointment", remote.remote_id, description="Changed there")
    with pytest.raises(Clash):
        there.driver.arrive(there.visit, at)
    again = known(there.driver.read(remote.remote_id))
    assert there.driver.arrive(there.visit, again).status == "arrived"


def test_somebody_who_has_it_open_there_means_soon_again(there: Scene) -> None:
    remote, at = there.booked()
    there.peer.locked.add(remote.remote_id)
    with pytest.raises(BeingEdited):
        there.driver.arrive(there.visit, at)


def test_there_is_no_word_for_no_show_and_no_way_back(there: Scene) -> None:
    remote, at = there.booked()
    with pytest.raises(NotOffered):
        there.driver.no_show(there.visit, at)
    ended = known(there.driver.complete(there.visit, at))
    with pytest.raises(NotOffered):
        there.driver.revert(there.visit, ended)
    assert there.there(remote.remote_id)["status"] == "fulfilled"


def test_a_confirmation_asks_nothing_and_answers_what_is_known(there: Scene) -> None:
    remote, at = there.booked()
    asked = len(there.peer.calls)
    assert known(there.driver.confirm(there.visit, at)) == at
    assert len(there.peer.calls) == asked
    assert remote.status == "booked"


def test_what_it_cannot_do_is_not_among_its_features(there: Scene) -> None:
    assert there.driver.features == frozenset(Feature) - {
        Feature.MATCH_PATIENT,
        Feature.CONFIRM,
        Feature.NO_SHOW,
        Feature.SUBSCRIBE,
        Feature.CONDITIONAL_CREATE,
    }


def test_a_providers_visits_are_asked_for_by_a_closed_range(there: Scene) -> None:
    remote, _at = there.booked()
    end = START + timedelta(hours=8)
    found = there.driver.visits_between(START, end, provider_id=there.practitioner)
    assert [one.remote_id for one in found] == [remote.remote_id]
    assert there.driver.visits_between(START, end, provider_id="nobody") == []


def test_polling_looks_through_each_linked_provider_in_turn(
    there: Scene, clinic: Clinic, provider: Provider
) -> None:
    one = link_provider(there.connection, there.peer, provider)
    soon = datetime.now(UTC) + timedelta(days=2)
    cursor = there.driver.changes_since({}, now=datetime.now(UTC)).cursor
    other = there.peer.add_appointment(
        start=soon, patient=there.patient, practitioner=there.practitioner
    )
    visit = there.peer.add_appointment(start=soon, patient=there.patient, practitioner=one)
    changes = there.driver.changes_since(cursor, now=datetime.now(UTC))
    assert [told.resource_id for told in changes.told] == [visit]
    assert other not in {told.resource_id for told in changes.told}
    assert (changes.has_more, set(changes.cursor)) == (False, {"since"})


def test_a_round_of_several_providers_goes_on_where_it_stopped(there: Scene) -> None:
    from_clinic = [there.practitioner, there.peer.add_practitioner()]
    soon = datetime.now(UTC) + timedelta(days=2)
    made = {
        there.peer.add_appointment(start=soon, patient=there.patient, practitioner=one)
        for one in from_clinic
    }
    there.driver._practitioners = lambda _start, _end: from_clinic  # type: ignore[attr-defined]
    now = datetime.now(UTC)
    cursor = {"since": (now - timedelta(minutes=1)).isoformat()}
    first = there.driver.changes_since(cursor, now=now)
    second = there.driver.changes_since(first.cursor, now=now + timedelta(hours=1))
    assert (first.has_more, second.has_more) == (True, False)
    assert {one.resource_id for one in (*first.told, *second.told)} == made
    assert second.cursor == {"since": now.strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_an_old_visit_is_not_told_again(there: Scene) -> None:
    there.driver._practitioners = lambda _start, _end: [there.practitioner]  # type: ignore[attr-defined]
    now = datetime.now(UTC)
    there.peer.add_appointment(
        start=now + timedelta(days=1), patient=there.patient, practitioner=there.practitioner
    )
    later_on = (now + timedelta(hours=1)).isoformat()
    assert there.driver.changes_since({"since": later_on}, now=now).told == ()


def test_a_note_needs_an_author_and_is_found_by_its_mark(there: Scene) -> None:
    _remote, at = there.booked()
    note = note_of(there.visit, at)
    with pytest.raises(NotOffered):
        there.driver.write_note(replace(note, author=Party()))
    there.peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "DocumentReference"))
    with pytest.raises(Unsure):
        there.driver.write_note(note)
    found = there.driver.find_note(note)
    assert found is not None
    assert [one["id"] for one in there.peer.store.all("DocumentReference")] == [found.remote_id]


def test_a_note_whose_mark_was_dropped_is_found_by_its_visit(there: Scene) -> None:
    _remote, at = there.booked()
    note = note_of(there.visit, at)
    written = there.driver.write_note(note)
    there.peer.change("DocumentReference", written.remote_id, masterIdentifier=None)
    found = there.driver.find_note(note)
    assert found is not None
    assert found.remote_id == written.remote_id
    another = replace(
        note, appointment=Known("other"), marker="00000000-0000-4000-8000-000000000001"
    )
    assert there.driver.find_note(another) is None
