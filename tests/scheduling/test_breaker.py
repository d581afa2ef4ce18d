"""A neighbour in trouble is left alone, probed by one, and complained of seldom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from scheduling.breaker import Breaker, Tally
from tests.scheduling.stopped_clock import StoppedClock


def test_it_is_closed_until_something_fails() -> None:
    breaker = Breaker(30, clock=StoppedClock())
    assert breaker.is_closed
    assert not breaker.may_probe()
    assert breaker.fail()
    assert not breaker.is_closed


def test_of_many_who_fail_at_once_one_is_told_that_it_opened() -> None:
    breaker, together = Breaker(30), Barrier(16)

    def fail(_number: int) -> bool:
        together.wait(timeout=10)
        return breaker.fail()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(fail, range(16))) == 1


def test_failures_while_it_is_open_do_not_put_the_probe_off() -> None:
    clock = StoppedClock()
    breaker = Breaker(30, clock=clock)
    breaker.fail()
    clock.now += 29
    assert not breaker.fail()
    assert not breaker.may_probe()
    clock.now += 1
    assert breaker.may_probe()


def test_of_many_who_ask_at_once_one_probes() -> None:
    clock, together = StoppedClock(), Barrier(16)
    breaker = Breaker(30, clock=clock)
    breaker.fail()
    clock.now += 30

    def probe(_number: int) -> bool:
        together.wait(timeout=10)
        return breaker.may_probe()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(probe, range(16))) == 1


def test_a_probe_that_fails_or_never_ends_is_followed_by_one_half_a_minute_later() -> None:
    clock = StoppedClock()
    breaker = Breaker(30, clock=clock)
    breaker.fail()
    for _ in range(3):
        clock.now += 30
        assert breaker.may_probe()
        clock.now += 29
        assert not breaker.may_probe()
        clock.now -= 29
    assert not breaker.is_closed


def test_a_probe_that_succeeds_closes_it_once() -> None:
    breaker = Breaker(30, clock=StoppedClock())
    breaker.fail()
    assert breaker.close()
    assert breaker.is_closed
    assert not breaker.close()
    assert breaker.fail()


def test_the_first_is_told_at_once_and_the_rest_together_a_minute_later() -> None:
    clock = StoppedClock()
    tally = Tally(60, clock=clock)
    assert tally.add(3) == 3
    assert [tally.add(1) for _ in range(5)] == [0] * 5
    clock.now += 60
    assert tally.add(0) == 5
    assert tally.add(2) == 0


def test_nothing_is_not_told() -> None:
    tally = Tally(60, clock=StoppedClock())
    assert tally.add(0) == 0
    assert tally.add(1) == 1


def test_threads_lose_no_count() -> None:
    clock = StoppedClock()
    tally = Tally(60, clock=clock)
    tally.add(1)
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _number: tally.add(1), range(4_000)))
    clock.now += 60
    assert tally.add(0) == 4_000
