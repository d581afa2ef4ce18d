"""EpicScheduling against a server that reads R4 and books by STU3's $find and $book alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emr.drivers.base import Feature
from emr.drivers.opening import opened
from emr.failures import Clash, NoSlot, NotOffered, Refused, TryLater, Unsure
from emr.visits import Known, Party
from providers.models import Clinic
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
from tests.emr.peers import Fault, Peer, epic_peer

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
READS = frozenset({"read", "search-type"})


@pytest.fixture
def there(epic: Peer, clinic: Clinic) -> Iterator[Scene]:
    with scene(epic, clinic) as made:
        yield made


@pytest.fixture
def changeable(clinic: Clinic) -> Iterator[Scene]:
    """A server whose statement says that appointments can be patched."""
    offers = {
        "Patient": READS | {"create"},
        "Practitioner": READS,
        "Location": READS,
        "Appointment": READS | {"patch"},
    }
    with epic_peer(offers=offers) as peer, scene(peer, clinic) as made:
        yield made


def test_a_visit_is_booked_by_find_and_book(there: Scene) -> None:
    remote = there.driver.book(there.visit)
    (find,), (book,) = there.peer.calls_to("POST", "$find"), there.peer.calls_to("POST", "$book")
    assert [one["name"] for one in find.body["parameter"]] == [
        "startTime",
        "endTime",
        "serviceType",
        "location-reference",
    ]
    assert book.body["parameter"] == [
        {"name": "patient", "valueIdentifier": {"value": there.patient}},
        {"name": "appointment", "valueIdentifier": {"value": f"proposed-{there.slot}"}},
        {"name": "appointmentNote", "valueString": "A cough"},
    ]
    assert (remote.status, remote.start, remote.patient_id) == ("booked", START, there.patient)
    assert there.there(remote.remote_id)["meta"]["versionId"] == remote.version_id


def test_what_is_proposed_is_at_the_visits_time_and_of_its_provider(there: Scene) -> None:
    other = there.peer.add_practitioner()
    there.peer.add_slot(start=START, practitioner=other, location=there.location)
    there.slot_at(START + timedelta(minutes=10))
    found = there.driver.find_slots(there.visit)
    assert [(slot.remote_id, slot.start) for slot in found] == [(f"proposed-{there.slot}", START)]


def test_without_a_proposal_nothing_is_booked(there: Scene) -> None:
    with pytest.raises(NoSlot):
        there.driver.book(later(there.visit))
    assert there.peer.calls_to("POST", "$book") == []


def test_a_time_that_was_taken_between_find_and_book_is_no_slot(there: Scene) -> None:
    there.peer.fail(Fault.STATUS(409), on=("POST", "$book"))
    with pytest.raises(NoSlot):
        there.driver.book(there.visit)
    proposed = there.driver.find_slots(there.visit)
    there.peer.change("Slot", there.slot, status="busy")
    assert proposed
    with pytest.raises(NoSlot):
        there.driver.book(there.visit)


def test_any_other_refusal_of_a_booking_stays_what_it_is(there: Scene) -> None:
    there.peer.fail(Fault.STATUS(403), on=("POST", "$book"))
    with pytest.raises(Refused) as caught:
        there.driver.book(there.visit)
    assert not isinstance(caught.value, NoSlot)


def test_a_booking_whose_answer_is_lost_is_found_and_is_the_only_one(there: Scene) -> None:
    begun = datetime.now(UTC)
    there.peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "$book"))
    books_blindly(there.driver, there.visit)
    found = there.driver.find(there.visit, since=begun)
    assert found is not None
    assert [one["id"] for one in there.peer.appointments] == [found.remote_id]


def test_a_booking_that_never_arrived_is_not_found(there: Scene) -> None:
    there.peer.fail(Fault.RESET_BEFORE, on=("POST", "$book"))
    books_blindly(there.driver, there.visit)
    assert there.driver.find(there.visit, since=LONG_AGO) is None
    assert there.driver.find(replace(there.visit, patient=Party()), since=LONG_AGO) is None


def test_a_find_that_fails_has_booked_nothing_and_may_be_tried_again(there: Scene) -> None:
    there.peer.fail(Fault.STATUS(500), on=("POST", "$find"))
    with pytest.raises(TryLater):
        there.driver.book(there.visit)
    assert there.peer.appointments == []


def test_a_booking_stands_though_it_cannot_be_read_afterwards(there: Scene) -> None:
    there.peer.fail(Fault.STATUS(503), on=("GET", "Appointment"))
    remote = there.driver.book(there.visit)
    assert [one["id"] for one in there.peer.appointments] == [remote.remote_id]
    assert (remote.start, remote.patient_id) == (START, there.patient)


def test_what_fhir_does_not_offer_is_not_asked(there: Scene) -> None:
    _remote, at = there.booked()
    asked = len(there.peer.calls)
    driver, visit = there.driver, there.visit
    for act in (
        driver.reschedule,
        driver.cancel,
        driver.arrive,
        driver.complete,
        driver.no_show,
        driver.revert,
    ):
        with pytest.raises(NotOffered):
            act(visit, at)
    assert known(driver.confirm(visit, at)) == at
    assert len(there.peer.calls) == asked


def test_its_features_are_those_of_the_statement_and_of_scheduling(
    there: Scene, clinic: Clinic
) -> None:
    expected = {
        Feature.FIND_PATIENT,
        Feature.MATCH_PATIENT,
        Feature.CREATE_PATIENT,
        Feature.FIND_SLOTS,
        Feature.BOOK,
        Feature.READ,
        Feature.SEARCH,
        Feature.POLL,
        Feature.NOTE,
    }
    assert there.driver.features == expected
    there.connection.scheduling_url = ""
    with opened(there.connection) as driver:
        assert driver.features == expected - {Feature.BOOK, Feature.FIND_SLOTS}
        with pytest.raises(NotOffered):
            driver.book(there.visit)


def test_a_move_books_anew_and_then_cancels_the_old_one(changeable: Scene) -> None:
    old, at = changeable.booked()
    changeable.slot_at(START + timedelta(hours=1))
    new = changeable.driver.reschedule(later(changeable.visit), at)
    assert new.remote_id != old.remote_id
    assert (new.status, new.start) == ("booked", START + timedelta(hours=1))
    assert changeable.there(old.remote_id)["status"] == "cancelled"


def test_a_move_that_finds_no_time_leaves_the_old_one(changeable: Scene) -> None:
    old, at = changeable.booked()
    with pytest.raises(NoSlot):
        changeable.driver.reschedule(later(changeable.visit), at)
    assert changeable.there(old.remote_id)["status"] == "booked"


@pytest.mark.parametrize(
    ("fault", "on"),
    [
        (Fault.RESET_AFTER_STORE, ("POST", "$book")),
        (Fault.STATUS(500), ("PATCH", "Appointment")),
        (Fault.RESET_AFTER_STORE, ("PATCH", "Appointment")),
    ],
)
def test_a_move_that_broke_off_goes_on_and_ends_with_one_visit(
    changeable: Scene, fault: Fault, on: tuple[str, str]
) -> None:
    _old, at = changeable.booked()
    changeable.slot_at(START + timedelta(hours=1))
    changeable.peer.fail(fault, on=on)
    moved = later(changeable.visit)
    with pytest.raises(TryLater):
        changeable.driver.reschedule(moved, at)
    new = changeable.driver.reschedule(moved, at)
    standing = [one for one in changeable.peer.appointments if one["status"] == "booked"]
    assert [one["id"] for one in standing] == [new.remote_id]
    assert len(changeable.peer.appointments) == 2


def test_a_visit_changed_there_meanwhile_is_not_moved(changeable: Scene) -> None:
    old, at = changeable.booked()
    changeable.slot_at(START + timedelta(hours=1))
    changeable.peer.change("Appointment", old.remote_id, description="Changed there")
    with pytest.raises(Clash):
        changeable.driver.reschedule(later(changeable.visit), at)
    assert len(changeable.peer.appointments) == 1


def test_a_statement_that_offers_changes_is_believed(changeable: Scene) -> None:
    remote, at = changeable.booked()
    after = changeable.driver.cancel(cancelled(changeable.visit), at)
    assert (after.status, changeable.there(remote.remote_id)["status"]) == (
        "cancelled",
        "cancelled",
    )


def test_a_chart_that_asks_why_is_never_asked_again(there: Scene) -> None:
    remote, _at = there.booked()
    there.peer.guarded.add(remote.remote_id)
    with pytest.raises(Refused) as caught:
        there.driver.read(remote.remote_id)
    assert "4130" in caught.value.codes


def test_visits_are_found_through_the_patients_who_have_some_with_us(there: Scene) -> None:
    remote, _at = there.booked()
    end = START + timedelta(hours=8)
    assert there.driver.visits_between(START, end, provider_id=there.practitioner) == []
    there.driver._looked.clear()  # type: ignore[attr-defined]
    there.driver._patients = lambda _start, _end: [there.patient]  # type: ignore[attr-defined]
    found = there.driver.visits_between(START, end, provider_id=there.practitioner)
    assert [one.remote_id for one in found] == [remote.remote_id]
    asked = len(there.peer.calls)
    assert there.driver.visits_between(START, end, provider_id="nobody") == []
    assert len(there.peer.calls) == asked


def test_polling_looks_through_patients(there: Scene) -> None:
    there.driver._patients = lambda _start, _end: [there.patient]  # type: ignore[attr-defined]
    now = datetime.now(UTC)
    visit = there.peer.add_appointment(start=now + HALF_AN_HOUR, patient=there.patient)
    cursor = {"since": (now - timedelta(minutes=1)).isoformat()}
    changes = there.driver.changes_since(cursor, now=now)
    assert [one.resource_id for one in changes.told] == [visit]


def test_a_note_is_found_again_after_its_answer_was_lost(there: Scene) -> None:
    remote, at = there.booked()
    note = note_of(there.visit, at)
    assert there.driver.find_note(note) is None
    there.peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "DocumentReference"))
    with pytest.raises(Unsure):
        there.driver.write_note(note)
    found = there.driver.find_note(note)
    assert found is not None
    assert [one["id"] for one in there.peer.store.all("DocumentReference")] == [found.remote_id]
    assert Known(remote.remote_id, remote.version_id) == at
