"""Holds against bookings, against each other and against the clock."""

from __future__ import annotations

import random
from datetime import datetime
from functools import partial

import pytest
from django.db import connection, transaction

from providers.calendars import bump
from scheduling.errors import HoldExpired, SlotTaken
from scheduling.models import Appointment, SlotHold
from tests.races.crew import Crew
from tests.races.rounds import ROUNDS, sizes
from tests.races.stage import Stage, lost, won

pytestmark = pytest.mark.race


@pytest.mark.parametrize("size", sizes("hold and booking"))
def test_a_time_is_either_held_or_booked(stage: Stage, size: int) -> None:
    held = 0
    rounds = ROUNDS["hold and booking", size]
    with Crew(size) as crew:
        for number in range(rounds):
            start = stage.fresh_hour()
            hold = partial(stage.hold, start, holder=number)
            answers = crew.race([hold, partial(stage.book, start)])
            (winner,) = won(answers)
            assert lost(answers) == [SlotTaken]
            held += isinstance(winner, SlotHold)
    assert SlotHold.objects.count() == held
    assert Appointment.objects.count() == rounds - held


@pytest.mark.parametrize("size", sizes("hold and hold"))
def test_a_time_is_held_for_one(stage: Stage, size: int) -> None:
    rounds = ROUNDS["hold and hold", size]
    with Crew(size) as crew:
        for number in range(rounds):
            start = stage.fresh_hour()
            holders = range(number * size, (number + 1) * size)
            answers = crew.race([partial(stage.hold, start, holder=who) for who in holders])
            assert len(won(answers)) == 1
            assert set(lost(answers)) == {SlotTaken}
    assert SlotHold.objects.count() == rounds


EXPIRE = """
UPDATE scheduling_slothold SET expires_at = clock_timestamp() + %s * interval '1 ms' WHERE id = %s
"""


def expiring(stage: Stage, start: datetime, milliseconds: float) -> SlotHold:
    """Hold a time that has only so long to live."""
    hold = stage.hold(start, holder=0)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EXPIRE, [milliseconds, hold.pk])
        bump([stage.provider.pk])
    return hold


@pytest.mark.parametrize("size", sizes("expiry"))
def test_a_hold_that_ends_while_it_is_confirmed_gives_the_time_to_one_at_most(
    stage: Stage, size: int
) -> None:
    rounds = ROUNDS["expiry", size]
    confirmed = taken = 0
    with Crew(size) as crew:
        for _ in range(rounds):
            start = stage.fresh_hour()
            hold = expiring(stage, start, random.uniform(1, 12))
            answers = crew.race(
                [partial(stage.book, start, hold=hold), partial(stage.book, start, patient=1)]
            )
            won(answers)
            mine, theirs = (isinstance(answer, Appointment) for answer in answers)
            assert not (mine and theirs)
            assert set(lost(answers)) <= {HoldExpired, SlotTaken}
            assert SlotHold.objects.filter(pk=hold.pk).exists() is not mine
            confirmed, taken = confirmed + mine, taken + theirs
            SlotHold.objects.filter(pk=hold.pk).delete() if not mine else None
    assert confirmed
    assert Appointment.objects.count() == confirmed + taken
