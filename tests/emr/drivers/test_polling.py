"""Asking what changed, by the time of the last change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emr.drivers.base import Driver
from emr.visits import Known, Remote, Visit
from providers.models import Clinic
from tests.emr.drivers.scenes import (
    START,
    Scene,
    scene,
)
from tests.emr.peers import Peer, generic_peer

pytestmark = pytest.mark.django_db

Step = Callable[[Driver, Visit, Known], Remote]
PATCH_ONLY = frozenset({"read", "search-type", "create", "patch"})
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def plain(generic: Peer, clinic: Clinic) -> Iterator[Scene]:
    with scene(generic, clinic) as made:
        yield made


def polled(driver: Driver, cursor: Mapping[str, Any]) -> tuple[dict[str, str], Mapping[str, Any]]:
    """Return {id: version} of all that is told after a cursor, and the cursor after it."""
    told: dict[str, str] = {}
    for _turn in range(20):
        changes = driver.changes_since(cursor, now=datetime.now(UTC))
        told |= {one.resource_id: one.version_id for one in changes.told if one.resource}
        cursor = changes.cursor
        if not changes.has_more:
            return told, cursor
    raise AssertionError("it never ends")


def test_a_polling_begins_at_now_and_asks_nothing(plain: Scene) -> None:
    asked = len(plain.peer.calls)
    changes = plain.driver.changes_since({}, now=START)
    assert (changes.told, changes.has_more) == ((), False)
    assert changes.cursor == {"since": "2031-03-03T15:00:00Z"}
    assert len(plain.peer.calls) == asked


def test_polling_tells_each_change_over_all_pages(clinic: Clinic) -> None:
    with generic_peer(page_size=2) as peer, scene(peer, clinic) as plain:
        now = datetime.now(UTC) - timedelta(seconds=5)
        cursor = plain.driver.changes_since({}, now=now).cursor
        made = {
            peer.add_appointment(start=START + timedelta(hours=hour), patient=plain.patient)
            for hour in range(5)
        }
        told, cursor = polled(plain.driver, cursor)
        assert sorted(told) == sorted(made)
        assert set(cursor) == {"since"}
        version = peer.change("Appointment", min(made), comment="Changed")
        again, _cursor = polled(plain.driver, cursor)
        assert again[min(made)] == version


def test_a_search_that_the_server_forgot_is_begun_again(plain: Scene) -> None:
    cursor = {
        "since": "2020-01-01T00:00:00Z",
        "next": f"{plain.peer.base_url}/Appointment?_getpages=gone",
    }
    changes = plain.driver.changes_since(cursor, now=START)
    assert changes.has_more
    assert changes.cursor == {"since": "2020-01-01T00:00:00Z"}
    plain.booked()
    assert len(plain.driver.changes_since(changes.cursor, now=START).told) == 1


def test_a_next_page_at_another_house_is_not_asked(plain: Scene) -> None:
    cursor = {"since": "2020-01-01T00:00:00Z", "next": "http://127.0.0.1:9/fhir/Appointment"}
    asked = len(plain.peer.calls)
    assert plain.driver.changes_since(cursor, now=START).cursor == {"since": cursor["since"]}
    assert len(plain.peer.calls) == asked
