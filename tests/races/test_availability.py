"""Searches while time is booked, freed and kept by others: never an answer of a moment gone by."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from threading import Barrier, Condition, Event
from typing import Any

import pytest
from django.utils import timezone

from providers.hours import remove_time_off, save_time_off
from providers.models import Provider, ProviderCalendar, TimeOff
from scheduling import booking
from scheduling.actors import Actor
from scheduling.availability import Query, search
from scheduling.errors import SchedulingError
from scheduling.holds import release_hold
from scheduling.models import Appointment
from scheduling.placing import Terms
from tests.factories import hold_of
from tests.races.crew import PATIENCE, Crew
from tests.races.stage import MINUTE, MOST, Stage, won
from tests.scheduling.availability.comparing import offers, shown
from tests.scheduling.oracle import fresh_search
from tests.scheduling.redis_servers import RedisServer

DAY = timedelta(days=1)
WRITERS, READERS, PROVIDERS, ACTS, LULLS = 3, 3, 4, 40, 10
ANY_TIME = Terms(notice_and_horizon=False)

pytestmark = [pytest.mark.race, pytest.mark.redis]


class Judged:
    """How many answers have been judged, and the writers' rests until there is one more.

    On a busy machine the calendars would else move on during every search, and none be judged.
    """

    def __init__(self) -> None:
        self.count, self._more = 0, Condition()
        self.lull = Barrier(WRITERS, action=self._one_more)

    def add(self) -> None:
        with self._more:
            self.count += 1
            self._more.notify_all()

    def _one_more(self) -> None:
        with self._more:
            most = self.count + 1
            assert self._more.wait_for(lambda: self.count >= most, PATIENCE)


class Writer:
    """Does one thing after another, at random, to a few providers' next two hours."""

    def __init__(self, stage: Stage, seed: int, judged: Judged) -> None:
        self.stage, self.seed, self.judged = stage, seed, judged
        self.opening = stage.fresh_hour()
        self.dice = Random(seed)

    def acts(self) -> int:
        """Return how many acts were not refused; between two of them readers have a moment."""
        done = 0
        for n in range(ACTS):
            if n % (ACTS // LULLS) == 0:
                self.judged.lull.wait(PATIENCE)
            done += self.one()
            time.sleep(self.dice.random() / 8)
        return done

    def one(self) -> bool:
        start = self.opening + self.dice.randrange(12) * 10 * MINUTE
        whose = self.dice.randrange(PROVIDERS)
        act = self.dice.choice([self.book, self.book_and_cancel, self.hold, self.go_away])
        try:
            act(start, whose)
        except SchedulingError:
            return False
        return True

    def book(self, start: datetime, whose: int) -> Appointment:
        return self.stage.book(start, patient=self.dice.randrange(MOST), provider=whose)

    def book_and_cancel(self, start: datetime, whose: int) -> None:
        visit = self.book(start, whose)
        booking.cancel(
            appointment=visit, reason="OTHER", by=Actor.patient(), override="", now=timezone.now()
        )

    def hold(self, start: datetime, whose: int) -> None:
        kept = hold_of(
            self.stage.providers[whose],
            self.stage.visit_type,
            start,
            holder=f"browser{self.seed}",
            by=self.stage.desk,
        )
        if self.dice.random() < 0.5:
            release_hold(kept)

    def go_away(self, start: datetime, whose: int) -> None:
        away = TimeOff(
            provider=self.stage.providers[whose],
            start_datetime=start,
            end_datetime=start + 20 * MINUTE,
            reason="CME",
        )
        save_time_off(away)
        remove_time_off(away)


def stamps(few: list[Provider]) -> tuple[int, ...]:
    rows = ProviderCalendar.objects.filter(provider__in=few).order_by("provider")
    return tuple(rows.values_list("stamp", flat=True))


def looks(query: Query, few: list[Provider], is_over: Event, judged: Judged) -> list[str]:
    """Search until the writers end; return what was wrong.

    An answer can be judged where no calendar moved on while it was made and decided anew.
    """
    wrong = []
    while not is_over.is_set():
        before, now = stamps(few), timezone.now()
        found = offers(search(query, terms=ANY_TIME, now=now, limit=10_000))
        fresh = fresh_search(query, ANY_TIME, now)
        if stamps(few) == before:
            wrong += [] if found == fresh else [shown(found, fresh)]
            judged.add()
    return wrong


def write(writer: Writer, still: Barrier, is_over: Event) -> int:
    """Act, wait for the other writers, and say that all is over."""
    acts = writer.acts()
    still.wait(PATIENCE)
    is_over.set()
    return acts


def test_no_answer_is_older_than_the_calendars_that_it_was_asked_of(
    stage: Stage, redis_server: RedisServer
) -> None:
    few = stage.providers[:PROVIDERS]
    Provider.objects.filter(pk__in=[one.pk for one in few]).update(languages=["tlh"])
    tomorrow = timezone.now().astimezone(UTC).date() + DAY
    query = Query(stage.visit_type, tomorrow, tomorrow, (stage.clinic,), language="tlh")
    still, is_over, judged = Barrier(WRITERS), Event(), Judged()
    writers = [Writer(stage, seed, judged) for seed in range(WRITERS)]
    jobs: list[Callable[[], object]] = [partial(write, each, still, is_over) for each in writers]
    jobs += [partial(looks, query, few, is_over, judged)] * READERS
    with Crew(WRITERS + READERS) as crew:
        answers: list[Any] = won(crew.race(jobs))
    assert len(answers) == WRITERS + READERS
    assert sum(answers[:WRITERS]) > WRITERS * ACTS / 4
    assert answers[WRITERS:] == [[]] * READERS
    assert judged.count >= LULLS
    with redis_server.client() as client:
        assert client.dbsize()
