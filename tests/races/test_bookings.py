"""Many book at once: one gets the time, the others are told so, and nobody meets a deadlock."""

from __future__ import annotations

from functools import partial

import pytest

from scheduling.errors import PatientBusy, SlotTaken
from scheduling.keys import RequestKey
from scheduling.lanes import HIGHEST_LANE
from scheduling.models import Appointment, AppointmentEvent
from tests.races.crew import Crew
from tests.races.rounds import ROUNDS, sizes
from tests.races.stage import MINUTE, Stage, lost, won

pytestmark = pytest.mark.race


def test_ten_thousand_rounds_are_run_in_all() -> None:
    assert sum(ROUNDS.values()) >= 10_000


@pytest.mark.parametrize("size", sizes("one slot"))
def test_one_slot_goes_to_one(stage: Stage, size: int) -> None:
    rounds = ROUNDS["one slot", size]
    with Crew(size) as crew:
        for _ in range(rounds):
            start = stage.fresh_hour()
            answers = crew.race(stage.bookings([start] * size))
            assert len(won(answers)) == 1
            assert set(lost(answers)) == {SlotTaken}
    assert Appointment.objects.count() == AppointmentEvent.objects.count() == rounds


@pytest.mark.parametrize("size", sizes("overlap"))
def test_starts_nine_minutes_apart_collide_by_a_minute(stage: Stage, size: int) -> None:
    with Crew(size) as crew:
        for _ in range(ROUNDS["overlap", size]):
            start = stage.fresh_hour()
            starts = [start + 9 * (n % 2) * MINUTE for n in range(size)]
            answers = crew.race(stage.bookings(starts))
            assert len(won(answers)) == 1
            assert set(lost(answers)) == {SlotTaken}


@pytest.mark.parametrize("size", sizes("touching"))
def test_visits_that_touch_are_all_booked(stage: Stage, size: int) -> None:
    with Crew(size) as crew:
        for _ in range(ROUNDS["touching", size]):
            start = stage.fresh_hour()
            for _taken in range(size // 6):
                stage.fresh_hour()
            starts = [start + n * 10 * MINUTE for n in range(size)]
            answers = crew.race(stage.bookings(starts))
            assert len(won(answers)) == size, lost(answers)


@pytest.mark.parametrize("size", sizes("one patient"))
def test_one_patient_is_booked_with_one_provider(stage: Stage, size: int) -> None:
    with Crew(size) as crew:
        for _ in range(ROUNDS["one patient", size]):
            start = stage.fresh_hour()
            answers = crew.race([partial(stage.book, start, provider=n) for n in range(size)])
            assert len(won(answers)) == 1
            assert set(lost(answers)) == {PatientBusy}


@pytest.mark.parametrize("size", sizes("overbooking"))
def test_overbookings_take_lanes_side_by_side(stage: Stage, size: int) -> None:
    fitting = min(size, HIGHEST_LANE)
    with Crew(size) as crew:
        for _ in range(ROUNDS["overbooking", size]):
            start = stage.fresh_hour()
            answers = crew.race(stage.bookings([start] * size, overbook=True))
            lanes = [visit.overbook_lane for visit in won(answers)]  # type: ignore[attr-defined]
            assert sorted(lanes) == list(range(1, fitting + 1))
            assert lost(answers) == [SlotTaken] * (size - fitting)


@pytest.mark.parametrize("size", sizes("one key"))
def test_one_form_sent_many_times_books_once_and_answers_all(stage: Stage, size: int) -> None:
    with Crew(size) as crew:
        for number in range(ROUNDS["one key", size]):
            key = RequestKey("browser", f"form{number}")
            again = partial(stage.book, stage.fresh_hour(), key=key)
            answers = won(crew.race([again] * size))
            assert len({visit.pk for visit in answers}) == 1  # type: ignore[attr-defined]
            assert len(answers) == size
