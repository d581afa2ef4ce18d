"""Random acts, and after each one every answer is the one that is decided anew from the rows."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from datetime import time
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from providers import calendars
from providers.models import ProviderCalendar
from scheduling import block_store, records
from scheduling.placing import Terms
from tests.scheduling.availability.acts import FREE_OF_NOTICE, kinds, people, picks, weeks, zones
from tests.scheduling.availability.comparing import Asker, offers
from tests.scheduling.availability.damage import Damage
from tests.scheduling.availability.paused import Paused, stopping_at_redis
from tests.scheduling.availability.setups import Setups
from tests.scheduling.availability.town import ZONES
from tests.scheduling.redis_servers import RedisServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("jobs_wait")]
# A tour does each act once, in any order; random runs do some acts again and again.
TOURS = int(os.environ.get("EQUALITY_TOURS", "2"))
EXAMPLES = int(os.environ.get("EQUALITY_EXAMPLES", "2"))
STEPS = int(os.environ.get("EQUALITY_STEPS", "20"))
# Finding the shortest failing example takes minutes, and is worth it to a person who waits.
PHASES = [*Phase] if "EQUALITY_SHRINK" in os.environ else [Phase.generate]
FILTERS: list[dict[str, Any]] = [
    {"language": "es"},
    {"telehealth": True},
    {"weekdays": frozenset({6, 1})},
    {"not_before": time(9), "not_after": time(20)},
]
RANDOMLY = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    database=None,
    phases=PHASES,
    suppress_health_check=list(HealthCheck),
)


class Equality(Setups):
    """Asks after each act: two kinds of visits wholly, and one closer question, in turn."""

    redis: RedisServer | None = None

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        self.slow: Paused | None = None

    @invariant()
    @precondition(lambda self: hasattr(self, "town"))
    def all_answers_are_fresh(self) -> None:
        self.looks()

    def looks(self, *_which: object) -> None:
        self.town.refresh()
        self.turn += 1
        for kind in (0, 3) if self.turn % 2 else (1, 2):
            terms = Terms() if kind % 2 else FREE_OF_NOTICE
            Asker(self.town.query(kind), terms, self.now).assert_search()
        self.look_closer(self.turn)

    def look_closer(self, turn: int) -> None:
        wanted = FILTERS[turn // 5 % 4] if turn % 2 else {}
        ask = Asker(self.town.query(turn % 4, **wanted), FREE_OF_NOTICE, self.now)
        here = self.town.at(turn * 15 % 600 - 300)
        closer: list[Callable[[], object]] = [
            ask.assert_pages,
            ask.assert_days,
            lambda: ask.assert_nearest(here),
            lambda: ask.assert_is_free(here),
            lambda: ask.assert_later_than(here),
        ]
        closer[turn % 5]()

    @rule(kind=st.integers(0, 3), steps=st.integers(0, 8))
    def a_reader_begins(self, kind: int, steps: int) -> None:
        """Somebody asks, and is stopped on the way; whoever was stopped before goes on."""
        self.the_slow_one_ends()
        self.town.refresh()
        ask = Asker(self.town.query(kind), FREE_OF_NOTICE, self.now)
        self.slow = Paused(lambda: offers(ask.found()))
        self.the_slow_one_goes_on(steps)

    @rule(number=picks, kind=kinds, who=people, steps=st.integers(7, 11))
    def a_writer_begins(self, number: int, kind: int, who: int, steps: int) -> None:
        """Somebody books, and is stopped before or after committing, in the midst of the rest."""
        self.the_slow_one_ends()
        self.slow = Paused(lambda: self.books(number, kind, who, 0))
        self.the_slow_one_goes_on(steps)

    @precondition(lambda self: self.slow)
    @rule(steps=st.integers(1, 3))
    def the_slow_one_goes_on(self, steps: int) -> None:
        assert self.slow is not None
        for _ in range(steps):
            self.slow.go_on()

    @precondition(lambda self: self.slow)
    @rule()
    def the_slow_one_ends(self) -> None:
        if self.slow is not None:
            self.slow.finish()
            self.done["a slow one ends"] += 1
            self.slow = None

    @precondition(lambda self: self.redis)
    @rule(how=st.sampled_from(Damage), seed=st.integers(0, 1_000))
    def redis_is_damaged(self, how: Damage, seed: int) -> None:
        assert self.redis is not None
        with self.redis.client() as client:
            how.happens_to(client, seed)
        self.done[f"redis: {how.name}"] += 1

    def teardown(self) -> None:
        if self.slow is not None:
            self.slow.finish()


@pytest.fixture
def machine() -> Iterator[type[Equality]]:
    """A kind of its own for each test, which counts what it did."""

    class Counting(Equality):
        done = type(Equality.done)()

    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
    with stopping_at_redis():
        yield Counting
    connection.close()


def tour(machine: type[Equality]) -> None:
    """Do every act, each time in another order, with everything compared after each."""
    acts = {act.function.__name__: act for act in machine().rules}

    @settings(RANDOMLY, max_examples=TOURS)
    @given(st.data(), st.permutations(sorted(acts)), weeks, zones)
    def each_in_turn(data: st.DataObject, order: list[str], week: int, zone: str) -> None:
        state = machine()
        state.begins(week, zone)
        try:
            for name in [*order, *order]:
                if all(holds(state) for holds in acts[name].preconditions):
                    arguments = data.draw(st.fixed_dictionaries(acts[name].arguments), label=name)
                    acts[name].function(state, **arguments)
                    state.looks()
        finally:
            state.teardown()

    each_in_turn()


def test_without_redis_every_answer_is_fresh_after_each_act_of_a_tour(
    machine: type[Equality],
) -> None:
    tour(machine)
    assert len(machine.done) >= 15, machine.done


def test_without_redis_every_answer_is_fresh_after_random_acts(machine: type[Equality]) -> None:
    run_state_machine_as_test(machine, settings=RANDOMLY)


@pytest.mark.redis
def test_with_redis_every_answer_is_fresh_after_each_act_of_a_tour(
    machine: type[Equality], redis_on: RedisServer
) -> None:
    machine.redis = redis_on
    tour(machine)
    assert len(machine.done) >= 15, machine.done


@pytest.mark.redis
def test_with_redis_every_answer_is_fresh_after_random_acts(
    machine: type[Equality], redis_on: RedisServer
) -> None:
    machine.redis = redis_on
    run_state_machine_as_test(machine, settings=RANDOMLY)


@pytest.mark.redis
def test_a_stamp_that_does_not_change_with_the_rows_is_caught(
    machine: type[Equality], redis_on: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were stamps to repeat, these comparisons would find the stale answer."""
    machine.redis = redis_on
    for module in (calendars, records):
        monkeypatch.setattr(module, "fresh_stamp", lambda: 7)
    with pytest.raises(AssertionError, match=r"stale|missed|is right"):
        tour(machine)


@pytest.mark.redis
def test_a_value_kept_under_another_stamp_is_caught(
    machine: type[Equality], redis_on: RedisServer
) -> None:
    """The control: what was true before a booking, kept under the stamp after it."""
    state = machine()
    state.begins(0, ZONES[1])
    state.looks()
    ask = Asker(state.town.query(0), FREE_OF_NOTICE, state.now)
    before = ask.assert_search()
    with redis_on.client() as client:
        names: list[bytes] = client.keys("daysheet:availability:*")
    old = {entry(name): value for name, value in zip(names, block_store.fetch(names), strict=True)}
    state.books(number=0, kind=0, who=0, aside=0)
    stamps = {row.pk.bytes: row.stamp for row in ProviderCalendar.objects.all()}
    block_store.keep(
        {
            block_store.key(whose, stamps[whose].to_bytes(8, "big", signed=True), grid, block): was
            for (grid, block, whose), was in old.items()
            if was is not None
        }
    )
    assert offers(ask.found()) == before
    with pytest.raises(AssertionError, match="stale"):
        ask.assert_search()


def entry(name: bytes) -> tuple[int, int, bytes]:
    """Return what a key is about: minutes of the grid, number of the block, provider's id."""
    grid, block, packed = struct.unpack(">Bi24s", name.removeprefix(block_store.PREFIX))
    return grid, block, packed[:16]
