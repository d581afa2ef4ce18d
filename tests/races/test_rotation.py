"""Keys change while people book, read and write: nobody notices, and nothing keeps the old key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import count
from threading import Event, Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from patients.models import KeyProof, Patient
from patients.rotation import SealedTable
from scheduling.models import Appointment
from tests.factories import PatientFactory
from tests.patients.rings import BOTH, NEW, OLD
from tests.races.stage import Stage

pytestmark = pytest.mark.race
PEOPLE = 400
ROUNDS = 3


class Busy:
    """A thread that does one thing over and over; counts how often, keeps what went wrong."""

    def __init__(self, act: Callable[[int], None], stop: Event) -> None:
        self.act, self.stop = act, stop
        self.done = 0
        self.errors: list[str] = []
        self.thread = Thread(target=self._work)
        self.thread.start()

    def _work(self) -> None:
        while not self.stop.is_set():
            try:
                self.act(self.done)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
            self.done += 1
        connection.close()


def test_rotation_under_load_disturbs_nobody_and_leaves_no_old_key(stage: Stage) -> None:
    people = [
        *stage.patients,
        *(PatientFactory.create(clinic=stage.clinic, city="Town 0") for _ in range(PEOPLE)),
    ]
    written: Counter[int] = Counter()
    providers = count()

    def write(turn: int) -> None:
        place = turn % len(people)
        row = Patient.objects.get(pk=people[place].pk)
        written[place] += 1
        row.city = f"Town {written[place]}"
        row.save(update_fields=["city"])

    def read(turn: int) -> None:
        row = Patient.objects.get(pk=people[(turn * 7) % len(people)].pk)
        assert row.full_name
        assert row.city.startswith("Town") or not row.city

    def book(turn: int) -> None:
        provider = next(providers) % len(stage.providers)
        visit = stage.book(
            stage.fresh_hour(), patient=turn % len(stage.patients), provider=provider, reason="Knee"
        )
        assert Appointment.objects.get(pk=visit.pk).reason_for_visit == "Knee"

    acts = [write, read, read, book, book]
    with override_settings(DATA_KEYS=BOTH):
        stop = Event()
        crew = [Busy(act, stop) for act in acts]
        for turn in range(ROUNDS):  # there and back, and there again
            with override_settings(DATA_KEYS=BOTH if turn % 2 == 0 else f"{OLD},{NEW}"):
                call_command("rotate_keys")
        stop.set()
        for busy in crew:
            busy.thread.join(30)
        assert [busy.errors for busy in crew] == [[] for _ in acts]
        assert all(busy.done > 0 for busy in crew)
        call_command("rotate_keys")
        assert SealedTable(Patient).stale() == SealedTable(Appointment).stale() == 0
    assert [row.key_id for row in KeyProof.objects.all()] == ["next"]
    with override_settings(DATA_KEYS=NEW):
        for place, times in written.items():
            assert Patient.objects.get(pk=people[place].pk).city == f"Town {times}"
        assert {visit.reason_for_visit for visit in Appointment.objects.all()} == {"Knee"}
