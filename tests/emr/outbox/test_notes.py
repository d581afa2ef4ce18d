"""One draft note of a completed visit, none of one that was not, and never two."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.utils import timezone

from emr.kinds import State, TaskKind, Why
from emr.models import EMRLink, EMRTask
from emr.outbox.notes import text_of
from scheduling import booking
from scheduling.models import Appointment, VisitNote
from tests.emr.outbox.scene import MINUTE, Scene, begun, scene_at
from tests.emr.peers import Fault, generic_peer
from tests.factories import UserFactory, someone_at_the_desk

pytestmark = pytest.mark.django_db
OVER = 11 * MINUTE


@pytest.fixture(autouse=True)
def _recorded(settings: Any) -> None:
    settings.LOOKS_MUST_BE_RECORDED = True


def complete(visit: Appointment) -> Appointment:
    return booking.complete(appointment=begun(visit), by=someone_at_the_desk(), now=timezone.now())


def notes(scene: Scene) -> list[dict[str, Any]]:
    return scene.peer.store.all("DocumentReference")


def words(note: dict[str, Any]) -> str:
    return base64.b64decode(note["content"][0]["attachment"]["data"]).decode()


def test_a_completed_visit_has_a_draft_there_and_only_one(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    complete(visit)
    at_generic.push(later=9 * MINUTE)
    assert notes(at_generic) == []
    at_generic.push(later=OVER)
    at_generic.push(later=2 * OVER)
    [note] = notes(at_generic)
    assert note["docStatus"] == "preliminary"
    assert note["type"]["coding"][0]["code"] == "11506-3"
    about = EMRLink.objects.get(resource_type="Appointment").resource_id
    assert note["context"]["related"] == [{"reference": f"Appointment/{about}"}]
    assert visit.reference in words(note)
    link = EMRLink.objects.get(resource_type="DocumentReference")
    assert (link.resource_id, link.local_id) == (note["id"], visit.pk)


def test_it_says_what_the_provider_wrote(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    VisitNote.objects.create(appointment=visit, text="Knee is better.", author=UserFactory.create())
    complete(visit)
    at_generic.push(later=OVER)
    assert "Note: Knee is better." in words(notes(at_generic)[0])


def test_it_is_written_after_the_visit_is_done_there(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    complete(visit)
    at_generic.peer.fail(Fault.STATUS(503), on=("PUT", "Appointment"))
    at_generic.push(later=OVER)
    assert notes(at_generic) == []
    at_generic.push(later=3 * OVER)
    assert [call.path for call in at_generic.peer.calls if call.method in {"PUT", "POST"}][-2:] == [
        f"Appointment/{at_generic.remote[0]['id']}",
        "DocumentReference",
    ]


def test_a_visit_that_was_not_completed_after_all_has_none(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.push()
    booking.undo(appointment=complete(visit), by=someone_at_the_desk(), now=timezone.now())
    at_generic.push(later=OVER)
    assert notes(at_generic) == []
    assert at_generic.remote[0]["status"] == "booked"
    assert at_generic.message(what="NOTE").why == Why.UNDONE


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER_STORE, Fault.RESET_BEFORE, Fault.TRUNCATED])
def test_a_lost_answer_makes_no_second_one(at_generic: Scene, fault: Fault) -> None:
    visit = at_generic.book()
    at_generic.push()
    complete(visit)
    at_generic.peer.fail(fault, on=("POST", "DocumentReference"))
    at_generic.push(later=OVER)
    assert at_generic.message(what="NOTE").state == State.UNKNOWN
    at_generic.push(later=2 * OVER)
    assert len(notes(at_generic)) == 1
    assert at_generic.message(what="NOTE").state == State.DONE


def test_where_no_note_can_be_written_it_is_somebodys_task(provider: Any, visit_type: Any) -> None:
    kinds = ("Patient", "Practitioner", "Location", "Schedule", "Slot", "Appointment")
    with generic_peer(
        offers=dict.fromkeys(kinds, ("read", "search-type", "create", "update"))
    ) as peer:
        scene = scene_at(peer, provider, visit_type)
        visit = scene.book()
        scene.push()
        complete(visit)
        scene.push(later=OVER)
        assert EMRTask.objects.get().kind == TaskKind.NOTE
        row = scene.message(what="NOTE")
        assert (row.state, row.why) == (State.SKIPPED, Why.NOT_OFFERED)


def test_a_visit_that_they_never_had_can_have_no_note(at_generic: Scene) -> None:
    visit = at_generic.book()
    at_generic.peer.fail(Fault.STATUS(422), times=9)
    at_generic.push()
    complete(visit)
    at_generic.push(later=OVER)
    row = at_generic.message(what="NOTE")
    assert (row.state, row.codes) == (State.DEAD, ["no-appointment"])


def test_the_facts_stand_one_on_a_line_in_the_clinics_time(
    at_generic: Scene, settings: Any
) -> None:
    settings.LOOKS_MUST_BE_RECORDED = False
    lines = text_of(at_generic.book()).splitlines()
    assert lines[1] == "Visit: Follow-up"
    assert lines[2].endswith("08:00 to 08:30 EST") or lines[2].endswith("08:00 to 08:30 EDT")
    assert lines[3:5] == ["Provider: Dr. Amara Diallo", "Place: Riverside Clinic"]
    assert len(lines) == 5  # no reason was told, and nothing written
