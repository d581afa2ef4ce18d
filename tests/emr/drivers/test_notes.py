"""The one draft note of a visit, written and found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from emr.drivers.base import Driver, Feature
from emr.failures import (
    Unsure,
)
from emr.visits import Known, Remote, Visit
from providers.models import Clinic
from tests.emr.drivers.scenes import (
    Scene,
    note_of,
    scene,
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


def test_a_note_is_written_once_and_found_by_its_mark(plain: Scene) -> None:
    _remote, at = plain.booked()
    note = note_of(plain.visit, at)
    assert plain.driver.find_note(note) is None
    plain.peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "DocumentReference"))
    with pytest.raises(Unsure):
        plain.driver.write_note(note)
    found = plain.driver.find_note(note)
    assert found is not None
    assert [one["id"] for one in plain.peer.store.all("DocumentReference")] == [found.remote_id]
    assert plain.driver.find_note(note_of(plain.visit, at)) is None


def test_where_no_document_is_taken_the_provider_is_asked_by_a_task(clinic: Clinic) -> None:
    offers = dict.fromkeys(
        ["Patient", "Practitioner", "Location", "Schedule", "Slot", "Appointment", "Task"],
        frozenset({"read", "search-type", "create", "update"}),
    )
    with generic_peer(offers=offers) as peer, scene(peer, clinic) as plain:
        _remote, at = plain.booked()
        note = note_of(plain.visit, at)
        written = plain.driver.write_note(note)
        (task,) = peer.store.all("Task")
        assert task["id"] == written.remote_id
        assert plain.driver.find_note(note) == written
        assert Feature.NOTE in plain.driver.features
