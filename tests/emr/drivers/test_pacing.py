"""Every request of a driver is paced, and says how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emr.drivers.base import Driver
from emr.failures import (
    TryLater,
)
from emr.models import ConnectionState
from emr.visits import Known, Remote, Visit
from providers.models import Clinic
from tests.emr.drivers.scenes import (
    Scene,
    scene,
)
from tests.emr.peers import Fault, Peer

pytestmark = pytest.mark.django_db

Step = Callable[[Driver, Visit, Known], Remote]
PATCH_ONLY = frozenset({"read", "search-type", "create", "patch"})
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def plain(generic: Peer, clinic: Clinic) -> Iterator[Scene]:
    with scene(generic, clinic) as made:
        yield made


def test_every_request_takes_from_the_bucket(generic: Peer, clinic: Clinic) -> None:
    with scene(generic, clinic, rate_per_second=0.1, burst=2) as plain:
        asked = len(generic.calls)
        plain.driver.read_resource("Slot", plain.slot)
        plain.driver.read_resource("Slot", plain.slot)
        with pytest.raises(TryLater) as caught:
            plain.driver.read_resource("Slot", plain.slot)
        assert len(generic.calls) == asked + 2
        assert caught.value.after is not None
        assert timedelta(seconds=2) < caught.value.after <= timedelta(seconds=10)


def test_a_short_wait_for_the_bucket_is_waited_for(generic: Peer, clinic: Clinic) -> None:
    with scene(generic, clinic, rate_per_second=20, burst=1) as plain:
        for _turn in range(4):
            plain.driver.read_resource("Slot", plain.slot)
        assert len(generic.calls_to("GET", plain.slot)) == 4


def test_how_each_request_went_is_written_down_for_all_processes(plain: Scene) -> None:
    plain.peer.fail(Fault.STATUS(500), times=5, on=("GET", "Slot"))
    for _turn in range(5):
        with pytest.raises(TryLater):
            plain.driver.read_resource("Slot", plain.slot)
    asked = len(plain.peer.calls)
    with pytest.raises(TryLater, match="pace"):
        plain.driver.read_resource("Slot", plain.slot)
    assert len(plain.peer.calls) == asked
    state = ConnectionState.objects.get(connection=plain.connection)
    assert (state.failures, state.last_failure) == (5, "TryLater 500")
