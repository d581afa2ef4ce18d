"""Answers that are kept for a while, and asked for anew."""

from __future__ import annotations

import pytest

from providers import remembered
from providers.remembered import Remembered


class Counted:
    """Answers how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, _key: int) -> int:
        self.times += 1
        return self.times


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(remembered, "monotonic", lambda: now[0])
    return now


def test_an_answer_is_asked_for_once_in_its_time(clock: list[float]) -> None:
    answers = Remembered(Counted(), seconds=20)
    assert (answers(1), answers(1), answers(2), answers(1)) == (1, 1, 2, 1)
    clock[0] += 19.9
    assert answers(1) == 1
    clock[0] += 0.1
    assert answers(1) == 3


def test_what_is_forgotten_is_asked_for_anew(clock: list[float]) -> None:
    answers = Remembered(Counted(), seconds=20)
    answers(1)
    answers.forget()
    assert answers(1) == 2


def test_it_never_holds_more_than_it_may(clock: list[float]) -> None:
    answers = Remembered(Counted(), seconds=20, most=2)
    assert [answers(key) for key in (1, 2, 3)] == [1, 2, 3]
    assert answers(3) == 3
    assert answers(1) == 4  # forgotten to make room
