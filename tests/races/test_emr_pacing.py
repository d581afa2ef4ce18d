"""Many processes that ask one record system: together no faster than one, and one tries first."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from time import sleep

import pytest
from django.utils import timezone

from emr import pacing
from emr.failures import TryLater
from emr.models import ConnectionState, EMRConnection
from tests.factories.emr import EMRConnectionFactory
from tests.races.crew import Crew

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]
CALLERS, BURST, ROUNDS = 16, 10, 5
NOTHING = timedelta()


@pytest.fixture
def connection() -> EMRConnection:
    return EMRConnectionFactory.create(rate_per_second=1, burst=BURST, timeout_seconds=5)


def careless(connection: EMRConnection) -> bool:
    """Take what anybody would write first: read, look, write."""
    state = ConnectionState.objects.get(connection=connection)
    if state.tokens < 1:
        return False
    sleep(0.01)
    ConnectionState.objects.filter(pk=state.pk).update(tokens=state.tokens - 1)
    return True


def take(connection: EMRConnection, now: datetime) -> bool:
    return pacing.take(connection, now=now) == NOTHING


def test_read_look_and_write_lets_more_through_than_there_is(connection: EMRConnection) -> None:
    ConnectionState.objects.create(connection=connection, tokens=BURST)
    with Crew(CALLERS) as crew:
        assert sum(map(bool, crew.race([partial(careless, connection)] * CALLERS))) > BURST


def test_callers_at_once_take_what_there_is_and_no_more(connection: EMRConnection) -> None:
    """The first round makes the row: nobody had asked before."""
    now = timezone.now()
    with Crew(CALLERS) as crew:
        for round_ in range(ROUNDS):
            at = now + round_ * timedelta(seconds=BURST)
            went = crew.race([partial(take, connection, at)] * CALLERS)
            assert sorted(went, key=bool) == [False] * (CALLERS - BURST) + [True] * BURST


def test_of_all_who_wait_for_a_breaker_exactly_one_tries(connection: EMRConnection) -> None:
    now = timezone.now()
    with Crew(CALLERS) as crew:
        for round_ in range(ROUNDS):
            for _ in range(pacing.FAILURES):
                pacing.failed(connection, TryLater("503"), now=now)
            now += pacing.LONGEST + timedelta(seconds=round_)
            went = crew.race([partial(take, connection, now)] * CALLERS)
            assert sum(map(bool, went)) == 1
            pacing.succeeded(connection, now=now)


def test_failures_at_once_are_all_counted(connection: EMRConnection) -> None:
    now = timezone.now()
    job = partial(pacing.failed, connection, TryLater("503"), now=now)
    with Crew(CALLERS) as crew:
        assert crew.race([job] * CALLERS) == [None] * CALLERS
    state = ConnectionState.objects.get(connection=connection)
    assert state.failures == CALLERS
    assert state.open_until == now + pacing.opens_for(CALLERS)
