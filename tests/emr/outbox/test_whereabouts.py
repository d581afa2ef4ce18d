"""A booking whose answer was lost, of a visit that was moved before anybody looked for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from emr.outbox.visits import standing_of, visit_of
from emr.outbox.whereabouts import place_there, places
from emr.visits import Remote
from patients.privacy import audit
from scheduling import booking
from scheduling.models import Appointment
from tests.emr.outbox.scene import HOUR, Scene
from tests.emr.peers import Fault
from tests.factories import someone_at_the_desk

pytestmark = pytest.mark.django_db
A_WHILE = timedelta(minutes=20)


def moved(visit: Appointment, by: timedelta = HOUR) -> Appointment:
    visit = Appointment.objects.get(pk=visit.pk)
    return booking.reschedule(
        appointment=visit,
        start=visit.scheduled_start + by,
        by=someone_at_the_desk(),
        now=timezone.now(),
    )


def lost(scene: Scene, operation: str = "Appointment") -> Appointment:
    """Book, let the answer be lost, and move the visit by an hour before it is looked for."""
    scene.peer.fail(Fault.RESET_AFTER_STORE, on=("POST", operation))
    visit = scene.book()
    if scene.connection.vendor != "GENERIC_R4":
        scene.free(2)
    assert scene.push()["unknown"] == 1
    return moved(visit)


@pytest.mark.parametrize("name", ["at_generic", "at_oracle"])
def test_it_is_found_where_it_was_made_and_moved_from_there(
    name: str, request: pytest.FixtureRequest
) -> None:
    scene: Scene = request.getfixturevalue(name)
    lost(scene)
    scene.push_for(A_WHILE)
    [there] = scene.remote
    assert (there["status"], there["start"]) == (
        "booked",
        scene.start(2).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def test_where_it_cannot_be_moved_it_is_left_to_staff_and_not_booked_twice(
    at_epic: Scene,
) -> None:
    lost(at_epic, "$book")
    at_epic.push_for(A_WHILE)
    assert len(at_epic.remote) == 1
    assert at_epic.message().why == "NOT_OFFERED"


def test_a_visit_was_wherever_it_was_moved_from_the_latest_first(at_generic: Scene) -> None:
    visit = at_generic.book()
    since = timezone.now()
    moved(visit)
    last = moved(visit)
    with audit.keeping_record(system="system:emr", purpose="emr"):
        told = visit_of(last, at_generic.connection)
    starts = [one.start for one in places(told, last, at_generic.connection, since=since)]
    first = visit.scheduled_start
    assert starts == [first + 2 * HOUR, first + HOUR, first]
    later = timezone.now()
    assert len(list(places(told, last, at_generic.connection, since=later))) == 1
    there = place_there(
        Remote(remote_id="1", start=first, provider_ids=("another",)),
        told,
        wanted=standing_of(last),
    )
    assert (there.start, there.provider) == (first, "")
