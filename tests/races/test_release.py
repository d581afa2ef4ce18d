"""A patient confirms in the moment in which their time is freed: exactly one of the two holds."""

from __future__ import annotations

from functools import partial

import pytest
from django.utils import timezone

from reminders import releasing
from reminders.releasing import Counts
from scheduling import booking
from scheduling.actors import Actor
from scheduling.errors import Stale
from tests.races.crew import Crew
from tests.races.rounds import ROUNDS
from tests.races.stage import Stage, lost, won

pytestmark = pytest.mark.race
PATIENT = Actor.patient()


def test_of_a_confirmation_and_a_release_exactly_one_happens(stage: Stage) -> None:
    """The job has read the visit as unconfirmed already, the patient's page as well."""
    outcomes = []
    with Crew(2) as crew:
        for number in range(ROUNDS["confirm and release", 2]):
            visit = stage.book(stage.fresh_hour(), patient=number % len(stage.patients))
            counts, now = Counts(), timezone.now()
            answers = crew.race(
                [
                    partial(booking.confirm, appointment=visit, by=PATIENT, now=now),
                    partial(releasing._release, visit, counts, now=now),
                ]
            )
            won(answers)
            visit.refresh_from_db()
            assert lost(answers) == ([Stale] if counts.released else [])
            assert (counts.released, counts.changed) in {(1, 0), (0, 1)}
            assert visit.status == ("CANCELLED" if counts.released else "CONFIRMED")
            assert visit.events.exclude(kind="BOOK").count() == 1
            outcomes.append(visit.status)
    assert set(outcomes) == {"CANCELLED", "CONFIRMED"}
