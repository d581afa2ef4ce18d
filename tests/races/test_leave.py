"""Time off against booking: whoever enters it sees every visit that it affects."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import sleep
from uuid import UUID

import pytest

from providers.hours import save_time_off
from providers.models import TimeOff
from scheduling.errors import ProviderAway, SlotTaken
from scheduling.models import Appointment
from tests.races.crew import Crew
from tests.races.rounds import ROUNDS, sizes
from tests.races.stage import HOUR, Stage, lost, won

pytestmark = pytest.mark.race
# Seconds that the absence, or each booking, waits: so that either comes first now and then.
HEAD_STARTS = [(0.0, 0.0), (0.05, 0.0), (0.0, 0.05), (0.0, 0.003)]


def take_leave(stage: Stage, start: datetime) -> set[UUID]:
    """Enter an hour off and return the visits found in it right afterwards."""
    save_time_off(
        TimeOff(
            provider=stage.provider, start_datetime=start, end_datetime=start + HOUR, reason="SICK"
        )
    )
    return booked_in(stage, start)


def booked_in(stage: Stage, start: datetime) -> set[UUID]:
    live = Appointment.objects.live().starting(start, start + HOUR)
    return set(live.filter(provider=stage.provider).values_list("pk", flat=True))


def later(seconds: float, job: Callable[[], object]) -> object:
    sleep(seconds)
    return job()


@pytest.mark.parametrize("size", sizes("leave"))
def test_no_visit_slips_into_time_off_unseen(stage: Stage, size: int) -> None:
    seen = 0
    with Crew(size) as crew:
        for turn in range(ROUNDS["leave", size]):
            start = stage.fresh_hour()
            mine, theirs = HEAD_STARTS[turn % len(HEAD_STARTS)]
            leave = partial(later, mine, partial(take_leave, stage, start))
            bookings = stage.bookings([start] * (size - 1))
            affected, *answers = crew.race([leave, *(partial(later, theirs, b) for b in bookings)])
            won([affected, *answers])
            assert affected == booked_in(stage, start)
            assert set(lost(answers)) <= {ProviderAway, SlotTaken}
            seen += bool(affected)
    assert 0 < seen < ROUNDS["leave", size]
