"""Visits on the move: the only place where the database may find a deadlock, and none is shown."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone

from scheduling import booking
from scheduling.errors import Busy, SlotTaken
from scheduling.models import Appointment
from scheduling.placing import place
from tests.races.crew import Crew, Job
from tests.races.rounds import ROUNDS, sizes
from tests.races.stage import MINUTE, Stage, lost, won

pytestmark = pytest.mark.race


def moves(stage: Stage, visits: list[Appointment], to: list[Appointment]) -> list[Job]:
    """Return a move of each visit to another's time, the cheap look left out.

    That look would answer nearly every one of them before the database is asked.
    """
    return [
        partial(
            booking._move,
            visit,
            place(
                provider=stage.provider,
                clinic=stage.clinic,
                visit_type=stage.visit_type,
                start=target.scheduled_start,
            ),
            hold=None,
            override="URGENT",
            by=stage.desk,
            now=timezone.now(),
        )
        for visit, target in zip(visits, to, strict=True)
    ]


@pytest.mark.parametrize("size", sizes("swap"))
def test_two_patients_who_swap_at_once_are_refused_or_served_but_never_stuck(
    stage: Stage, size: int
) -> None:
    with Crew(size) as crew:
        for number in range(ROUNDS["swap", size]):
            start = stage.fresh_hour()
            one = stage.book(start, patient=0)
            other = stage.book(start + 20 * MINUTE, patient=1)
            swap: list[Job]
            if number % 10:
                swap = [
                    partial(
                        booking.reschedule,
                        appointment=visit,
                        start=target.scheduled_start,
                        override="URGENT",
                        by=stage.desk,
                        now=timezone.now(),
                    )
                    for visit, target in ((one, other), (other, one))
                ]
            else:
                swap = moves(stage, [one, other], [other, one])
            answers = crew.race(swap)
            assert won(answers) == []
            assert set(lost(answers)) <= {SlotTaken, Busy}


@pytest.mark.parametrize("size", sizes("movers"))
def test_one_free_time_goes_to_one_of_those_who_move_there(stage: Stage, size: int) -> None:
    with Crew(size) as crew:
        for _ in range(ROUNDS["movers", size]):
            start = stage.fresh_hour()
            stage.fresh_hour()
            visits = [stage.book(start + (n + 1) * 10 * MINUTE, patient=n) for n in range(size)]
            target = Appointment(scheduled_start=start)
            answers = crew.race(moves(stage, visits, [target] * size))
            assert len(won(answers)) == 1
            assert set(lost(answers)) <= {SlotTaken, Busy}
    assert Appointment.objects.live().count() == size * ROUNDS["movers", size]
