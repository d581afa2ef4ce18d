"""GenericR4 against a server of plain R4 on this machine: real HTTP, real versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emr.drivers.base import Driver
from emr.failures import (
    BeingEdited,
    Clash,
    NoSlot,
    NotFound,
    NotOffered,
    Refused,
    TryLater,
    Unsure,
)
from emr.fhir.appointment import CONFIRMED_TAG, own_value
from emr.visits import Known, Remote, Visit
from providers.models import Clinic
from scheduling.transitions import Status
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
    visit_of,
)
from tests.emr.peers import Fault, Peer, generic_peer

pytestmark = pytest.mark.django_db

Step = Callable[[Driver, Visit, Known], Remote]
PATCH_ONLY = frozenset({"read", "search-type", "create", "patch"})
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def plain(generic: Peer, clinic: Clinic) -> Iterator[Scene]:
    with scene(generic, clinic) as made:
        yield made


def without_put(**rules: Any) -> AbstractContextManager[Peer]:
    kinds = ["Patient", "Practitioner", "Location", "Schedule", "Slot", "Appointment"]
    return generic_peer(offers=dict.fromkeys(kinds, PATCH_ONLY), **rules)


def test_booking_makes_one_appointment_with_the_visit_in_it(plain: Scene) -> None:
    remote, _known = plain.booked()
    there = plain.there(remote.remote_id)
    assert (there["status"], there["start"], there["end"]) == (
        "booked",
        "2031-03-03T15:00:00Z",
        "2031-03-03T15:30:00Z",
    )
    actors = [one["actor"]["reference"] for one in there["participant"]]
    assert actors == [
        f"Patient/{plain.patient}",
        f"Practitioner/{plain.practitioner}",
        f"Location/{plain.location}",
    ]
    assert there["identifier"][0]["value"] == own_value(plain.visit.id)
    assert remote.version_id == there["meta"]["versionId"]


def test_booking_again_makes_no_second_one_where_a_create_may_be_conditional(plain: Scene) -> None:
    first, second = plain.driver.book(plain.visit), plain.driver.book(plain.visit)
    assert first.remote_id == second.remote_id
    assert len(plain.peer.appointments) == 1


@pytest.mark.parametrize("is_conditional", [True, False])
def test_a_booking_whose_answer_is_lost_is_found_and_is_the_only_one(
    clinic: Clinic, *, is_conditional: bool
) -> None:
    with (
        generic_peer(conditional_create=is_conditional) as peer,
        scene(peer, clinic) as plain,
    ):
        begun = datetime.now(UTC)
        peer.fail(Fault.RESET_AFTER_STORE)
        books_blindly(plain.driver, plain.visit)
        found = plain.driver.find(plain.visit, since=begun)
        assert found is not None
        assert [one["id"] for one in peer.appointments] == [found.remote_id]


def test_a_booking_that_never_arrived_is_not_found(plain: Scene) -> None:
    plain.peer.fail(Fault.RESET_BEFORE)
    books_blindly(plain.driver, plain.visit)
    assert plain.driver.find(plain.visit, since=LONG_AGO) is None
    assert plain.peer.appointments == []


@pytest.mark.parametrize(
    "fault", [Fault.TRUNCATED, Fault.HTML_502, Fault.STATUS(500), Fault.STATUS(408)]
)
def test_what_a_create_is_answered_with_unreadably_is_unsure(plain: Scene, fault: Fault) -> None:
    plain.peer.fail(fault)
    with pytest.raises(Unsure):
        plain.driver.book(plain.visit)


def test_a_server_that_refuses_the_time_has_no_slot(plain: Scene) -> None:
    plain.peer.fail(Fault.STALE(409))
    with pytest.raises(NoSlot):
        plain.driver.book(plain.visit)


STEPS: list[tuple[str, Step, str]] = [
    ("arrive", lambda driver, visit, at: driver.arrive(visit, at), "arrived"),
    ("complete", lambda driver, visit, at: driver.complete(visit, at), "fulfilled"),
    ("cancel", lambda driver, visit, at: driver.cancel(visit, at), "cancelled"),
    ("no_show", lambda driver, visit, at: driver.no_show(visit, at), "noshow"),
]


@pytest.mark.parametrize("is_patched", [False, True], ids=["put", "patch"])
@pytest.mark.parametrize(("name", "step", "word"), STEPS, ids=[one[0] for one in STEPS])
def test_each_step_writes_its_status_and_nothing_else(
    clinic: Clinic, name: str, step: Step, word: str, *, is_patched: bool
) -> None:
    with (
        without_put() if is_patched else generic_peer() as peer,
        scene(peer, clinic) as plain,
    ):
        remote, _known = plain.booked()
        theirs = {"comment": "Typed in there", "priority": 5}
        version = peer.change("Appointment", remote.remote_id, **theirs)
        visit = cancelled(plain.visit) if name == "cancel" else plain.visit
        after = step(plain.driver, visit, Known(remote.remote_id, version))
        there = plain.there(remote.remote_id)
        assert (after.status, there["status"]) == (word, word)
        assert {key: there[key] for key in theirs} == theirs
        assert ("cancelationReason" in there) is (name == "cancel")
        assert after.version_id == there["meta"]["versionId"] != version
        method = "PATCH" if is_patched else "PUT"
        assert len(peer.calls_to(method, remote.remote_id)) == 1


@pytest.mark.parametrize("is_patched", [False, True], ids=["put", "patch"])
def test_a_confirmation_is_a_tag_that_a_return_to_booked_keeps(
    clinic: Clinic, *, is_patched: bool
) -> None:
    with (
        without_put() if is_patched else generic_peer() as peer,
        scene(peer, clinic) as plain,
    ):
        _remote, at = plain.booked()
        confirmed = plain.driver.confirm(plain.visit, at)
        assert (confirmed.status, confirmed.is_confirmed) == ("booked", True)
        visit = replace(plain.visit, status=Status.CONFIRMED)
        ended = plain.driver.cancel(cancelled(visit), known(confirmed))
        back = plain.driver.revert(visit, known(ended))
        there = plain.there(back.remote_id)
        assert (back.status, back.is_confirmed) == ("booked", True)
        assert "cancelationReason" not in there
        assert there["meta"]["tag"] == [dict(CONFIRMED_TAG)]


@pytest.mark.parametrize("is_patched", [False, True], ids=["put", "patch"])
def test_a_move_changes_time_and_provider_and_leaves_who_else_takes_part(
    clinic: Clinic, *, is_patched: bool
) -> None:
    with (
        without_put() if is_patched else generic_peer() as peer,
        scene(peer, clinic) as plain,
    ):
        remote, _known = plain.booked()
        other = peer.add_practitioner(name="Dr. Other")
        room = {"actor": {"display": "The laser"}, "status": "accepted"}
        there = plain.there(remote.remote_id)
        version = peer.change(
            "Appointment", remote.remote_id, participant=[*there["participant"], room]
        )
        moved = later(plain.visit, provider=replace(plain.visit.provider, remote_id=other))
        after = plain.driver.reschedule(moved, Known(remote.remote_id, version))
        there = plain.there(remote.remote_id)
        assert (after.start, after.end) == (moved.start, moved.end)
        assert after.provider_ids == (other,)
        assert room in there["participant"]
        assert after.patient_id == plain.patient
        assert after.place_ids == (plain.location,)


@pytest.mark.parametrize("stale_status", [409, 412])
def test_what_was_changed_there_meanwhile_is_not_written_over(
    clinic: Clinic, stale_status: int
) -> None:
    with (
        generic_peer(stale_status=stale_status) as peer,
        scene(peer, clinic) as plain,
    ):
        remote, at = plain.booked()
        peer.change("Appointment", remote.remote_id, comment="Changed there")
        with pytest.raises(Clash):
            plain.driver.reschedule(later(plain.visit), at)
        assert plain.there(remote.remote_id)["start"] == "2031-03-03T15:00:00Z"
        read = plain.driver.read(remote.remote_id)
        assert plain.driver.reschedule(later(plain.visit), known(read)).start != START


@pytest.mark.parametrize("status", [409, 412, 424])
def test_a_server_that_saw_a_change_first_is_a_clash(plain: Scene, status: int) -> None:
    _remote, at = plain.booked()
    plain.peer.fail(Fault.STALE(status), on=("PUT", "*"))
    with pytest.raises(Clash):
        plain.driver.complete(plain.visit, at)


def test_every_change_names_the_version_it_is_against(plain: Scene) -> None:
    remote, at = plain.booked()
    plain.driver.arrive(plain.visit, at)
    (call,) = plain.peer.calls_to("PUT", remote.remote_id)
    assert call.headers["if-match"] == f'W/"{at.version_id}"'


def test_a_patch_tests_the_version_where_the_server_ignores_if_match(clinic: Clinic) -> None:
    with (
        without_put(patch_heeds_if_match=False) as peer,
        scene(peer, clinic) as plain,
    ):
        remote, at = plain.booked()
        plain.driver.arrive(plain.visit, at)
        (call,) = peer.calls_to("PATCH", remote.remote_id)
        assert call.body[0] == {"op": "test", "path": "/meta/versionId", "value": at.version_id}
        assert call.headers["content-type"] == "application/json-patch+json"


def test_a_step_that_was_taken_already_is_not_taken_again(plain: Scene) -> None:
    remote, at = plain.booked()
    plain.peer.fail(Fault.RESET_AFTER_STORE, on=("PUT", "*"))
    with pytest.raises(TryLater):
        plain.driver.complete(plain.visit, at)
    again = plain.driver.complete(plain.visit, at)
    assert again.status == "fulfilled"
    assert len(plain.peer.calls_to("PUT", remote.remote_id)) == 1


def test_somebody_who_has_it_open_there_means_soon_again(plain: Scene) -> None:
    _remote, at = plain.booked()
    plain.peer.fail(Fault.STATUS(423), on=("PUT", "*"))
    with pytest.raises(BeingEdited):
        plain.driver.complete(plain.visit, at)


def test_a_visit_that_is_gone_there_is_not_found(plain: Scene) -> None:
    with pytest.raises(NotFound):
        plain.driver.read("nothing")
    with pytest.raises(NotFound):
        plain.driver.cancel(plain.visit, Known("nothing", "1"))


def test_what_a_server_does_not_offer_is_not_asked(clinic: Clinic) -> None:
    offers = dict.fromkeys(["Patient", "Practitioner", "Location"], frozenset({"read"}))
    with generic_peer(offers=offers, patient_match=False) as peer, scene(peer, clinic) as plain:
        asked = len(peer.calls)
        at = Known("1", "1")
        acts: list[Callable[[], object]] = [
            lambda: plain.driver.book(plain.visit),
            lambda: plain.driver.find_slots(plain.visit),
            lambda: plain.driver.cancel(plain.visit, at),
            lambda: plain.driver.reschedule(plain.visit, at),
            lambda: plain.driver.no_show(plain.visit, at),
            lambda: plain.driver.read("1"),
            lambda: plain.driver.find(plain.visit, since=LONG_AGO),
            lambda: plain.driver.changes_since({}, now=START),
            lambda: plain.driver.visits_between(START, later(plain.visit).end, provider_id="1"),
            lambda: plain.driver.write_note(note_of(plain.visit, at)),
            lambda: plain.driver.find_note(note_of(plain.visit, at)),
        ]
        for act in acts:
            with pytest.raises(NotOffered):
                act()
        assert plain.driver.features == frozenset()
        assert len(peer.calls) == asked


def test_free_slots_are_those_of_the_provider_within_the_visit(plain: Scene) -> None:
    other = plain.peer.add_practitioner()
    plain.peer.add_slot(start=START, practitioner=other)
    plain.slot_at(START + HALF_AN_HOUR)
    busy = plain.slot_at(START + timedelta(minutes=15), minutes=15, status="busy")
    found = plain.driver.find_slots(plain.visit)
    assert [slot.remote_id for slot in found] == [plain.slot]
    assert busy not in {slot.remote_id for slot in found}


def test_a_providers_visits_are_read_over_all_pages(clinic: Clinic) -> None:
    with generic_peer(page_size=2) as peer, scene(peer, clinic) as plain:
        mine = [
            peer.add_appointment(
                start=START + timedelta(hours=hour),
                patient=plain.patient,
                practitioner=plain.practitioner,
            )
            for hour in range(5)
        ]
        other = peer.add_practitioner()
        peer.add_appointment(start=START, patient=plain.patient, practitioner=other)
        end = START + timedelta(hours=4)
        found = plain.driver.visits_between(START, end, provider_id=plain.practitioner)
        assert [one.remote_id for one in found] == mine[:4]
        assert len(peer.calls_to("GET", "Appointment")) == 2


def test_an_appointment_with_elements_that_nobody_knows_is_read_and_changed(plain: Scene) -> None:
    extra: dict[str, Any] = {"nextGeneration": {"of": ["FHIR"]}, "_status": {"id": "x"}}
    remote_id = plain.peer.add_appointment(
        start=START, patient=plain.patient, practitioner=plain.practitioner, **extra
    )
    remote = plain.driver.read(remote_id)
    assert (remote.start, remote.patient_id) == (START, plain.patient)
    plain.driver.arrive(plain.visit, known(remote))
    there = plain.there(remote_id)
    assert there["status"] == "arrived"
    assert {key: there[key] for key in extra} == extra


def test_any_other_resource_is_read_as_it_is(plain: Scene) -> None:
    found = plain.driver.read_resource("Slot", plain.slot)
    assert found["start"] == "2031-03-03T15:00:00Z"
    for word in ("slot", "Slot/1", "../Slot", ""):
        with pytest.raises(Refused):
            plain.driver.read_resource(word, "1")


def test_a_confirmed_visit_is_booked_with_its_confirmation(plain: Scene) -> None:
    plain_visit = replace(plain.visit, status=Status.CONFIRMED)
    assert plain.driver.book(plain_visit).is_confirmed


def test_a_visit_that_ended_meanwhile_is_booked_as_booked(plain: Scene) -> None:
    ended = replace(plain.visit, status=Status.COMPLETED, has_arrived=True)
    assert plain.driver.book(ended).status == "booked"


def test_a_visit_whose_patient_is_not_known_there_is_never_sent(plain: Scene) -> None:
    with pytest.raises(Refused) as caught:
        plain.driver.book(visit_of("", plain.practitioner))
    assert caught.value.codes == ("no-patient",)
    assert plain.peer.calls_to("POST", "Appointment") == []
